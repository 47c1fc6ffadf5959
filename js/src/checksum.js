// A model file holds, once, a marker and 64 hex digits: the SHA-256 of the file with these digits as
// zeros. See lstm_runtime/model_file/checksum.py.
import { ModelFileError } from "./errors.js";

const MARKER = "lstm-edge-sha256:";
const DIGITS = 64;

/**
 * Check a file's bytes against the checksum inside; a file that was written without one passes.
 *
 * Browsers have WebCrypto on https and on localhost only; elsewhere nothing is checked.
 * @param {Uint8Array} bytes
 * @throws {ModelFileError} When the file was damaged or changed after it was written.
 */
export async function verifyChecksum(bytes) {
  const marker = lastIndexOf(bytes, MARKER);
  if (marker < 0 || !globalThis.crypto?.subtle) return;
  const start = marker + MARKER.length;
  const digits = String.fromCharCode(...bytes.subarray(start, start + DIGITS));
  if (/^0+$/.test(digits)) return;
  const blank = bytes.slice();
  blank.fill("0".charCodeAt(0), start, start + DIGITS);
  const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", blank));
  const found = Array.from(hash, (byte) => byte.toString(16).padStart(2, "0")).join("");
  if (found !== digits) {
    throw new ModelFileError(
      "the file is damaged, or another tool changed it (its checksum does not fit): copy or export it " +
        "again; lstm-export --reseal takes a wanted change",
    );
  }
}

/** @param {Uint8Array} bytes @param {string} word @returns {number} -1 when it is not there. */
function lastIndexOf(bytes, word) {
  const codes = Array.from(word, (letter) => letter.charCodeAt(0));
  for (let at = bytes.length - codes.length; at >= 0; at--) {
    if (codes.every((code, n) => bytes[at + n] === code)) return at;
  }
  return -1;
}
