// A model file holds, once, a marker and 64 hex digits: the SHA-256 of the file with these digits as
// zeros. See lstm_runtime/model_file/checksum.py.
import { ModelFileError } from "./errors.js";

const MARKER = "lstm-edge-sha256:";
const DIGITS = 64;

/**
 * Check a file's bytes against the checksum inside; a file without one is refused, for it may have been
 * cut before it.
 *
 * Browsers have WebCrypto on https and on localhost only; elsewhere nothing is checked.
 * @param {Uint8Array} bytes
 * @returns {Promise<string>} The checksum, 64 hex digits: that of no other file.
 * @throws {ModelFileError} When the file was damaged or changed after it was written, or is no model file.
 */
export async function verifyChecksum(bytes) {
  const marker = lastIndexOf(bytes, MARKER);
  if (marker < 0) throw new ModelFileError(`${whatElse(bytes)}: a model file of lstm-export has a checksum`);
  const start = marker + MARKER.length;
  const digits = String.fromCharCode(...bytes.subarray(start, start + DIGITS));
  if (!globalThis.crypto?.subtle) return digits;
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
  return digits;
}

/** What bytes are that have no checksum. @param {Uint8Array} bytes */
function whatElse(bytes) {
  const head = new TextDecoder().decode(bytes.subarray(0, 64)).trimStart().toLowerCase();
  if (!bytes.length) return "the file is empty";
  if (head.startsWith("version https://git-lfs")) return "a pointer of Git LFS and not the file itself";
  if (head.startsWith("<")) return "a web page, as servers send for a missing file";
  return "cut off, written anew by another tool, or no model file";
}

/** @param {Uint8Array} bytes @param {string} word @returns {number} -1 when it is not there. */
function lastIndexOf(bytes, word) {
  const codes = Array.from(word, (letter) => letter.charCodeAt(0));
  for (let at = bytes.length - codes.length; at >= 0; at--) {
    if (codes.every((code, n) => bytes[at + n] === code)) return at;
  }
  return -1;
}
