// Protobuf's wire format, as much of it as an ONNX file needs: a message is a flat list of
// numbered fields (https://protobuf.dev/programming-guides/encoding/).
import { ModelFileError } from "./errors.js";

const VARINT = 0, FIXED64 = 1, BYTES = 2, FIXED32 = 5;

// Keep a byte-order mark: it is part of a text, and Python's answer for it is too.
const utf8 = new TextDecoder("utf-8", { ignoreBOM: true });

/**
 * @typedef {object} Field
 * @property {number} number The field's number in the message's definition.
 * @property {number} value The number that a varint field holds, exact up to 2 ** 53; else 0.
 * @property {number} from Where the field begins, its key included.
 * @property {number} start Where its content begins.
 * @property {number} end Where it ends.
 */

/**
 * The fields of a message, in file order.
 * @param {Uint8Array} bytes
 * @param {{start: number, end: number}} [message] Where it stands; all of `bytes` when left out.
 * @returns {Generator<Field, void>}
 * @throws {ModelFileError} When the bytes are not a message.
 */
export function* fields(bytes, message = { start: 0, end: bytes.length }) {
  let at = message.start;
  while (at < message.end) {
    const from = at;
    const [key, start] = varint(bytes, at, message.end);
    const kind = key % 8;
    let value = 0, begin = start, size = 0;
    if (kind === VARINT) [value, begin] = varint(bytes, start, message.end);
    else if (kind === BYTES) [size, begin] = varint(bytes, start, message.end);
    else if (kind === FIXED64) size = 8;
    else if (kind === FIXED32) size = 4;
    else throw new ModelFileError(`not an ONNX file: a field of wire type ${kind}`);
    if (begin + size > message.end) throw new ModelFileError("the ONNX file is cut off");
    at = begin + size;
    yield { number: Math.floor(key / 8), value, from, start: begin, end: at };
  }
}

/**
 * The fields of one number.
 * @param {Uint8Array} bytes
 * @param {{start: number, end: number}} message
 * @param {number} number
 */
export function* fieldsOf(bytes, message, number) {
  for (const field of fields(bytes, message)) if (field.number === number) yield field;
}

/** @param {Uint8Array} bytes @param {{start: number, end: number} | void} field */
export const textOf = (bytes, field) => (field ? utf8.decode(bytes.subarray(field.start, field.end)) : "");

/**
 * Repeated whole numbers, packed or not.
 * @param {Uint8Array} bytes
 * @param {{start: number, end: number}} message
 * @param {number} number
 */
export function integers(bytes, message, number) {
  const found = [];
  for (const { value, from, start, end } of fieldsOf(bytes, message, number)) {
    if (varint(bytes, from, end)[0] % 8 === VARINT) found.push(value);
    else for (let at = start; at < end; ) {
      const [item, next] = varint(bytes, at, end);
      found.push(item);
      at = next;
    }
  }
  return found;
}

/**
 * The number that starts at `at`, and the position behind it. No shifts: JavaScript's are 32 bits
 * wide.
 * @param {Uint8Array} bytes
 * @param {number} at
 * @param {number} end
 * @returns {[value: number, next: number]}
 */
function varint(bytes, at, end) {
  let value = 0;
  for (let scale = 1, left = 10; left > 0 && at < end; scale *= 128, left--) {
    const byte = /** @type {number} */ (bytes[at++]);
    value += (byte & 127) * scale;
    if (byte < 128) return [value, at];
  }
  throw new ModelFileError("the ONNX file is cut off within a number");
}

/** @param {number} value @returns {number[]} `value` as protobuf writes it. */
export function encodeVarint(value) {
  const bytes = [];
  for (; value > 127; value = Math.floor(value / 128)) bytes.push((value % 128) | 128);
  return [...bytes, value];
}
