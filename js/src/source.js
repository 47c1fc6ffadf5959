// Where a model file's bytes come from.
import { brief, InputError, ModelFileError } from "./errors.js";

/** @typedef {string | URL | ArrayBuffer | Uint8Array} ModelSource A path (Node), a URL, or the bytes. */

/**
 * The model inside this package. Bundlers see this very form of `new URL` and carry the file along.
 */
const bundled = () => new URL("../models/default.int8.onnx", import.meta.url);

/**
 * @param {ModelSource} [source] The bundled model when left out.
 * @returns {Promise<Uint8Array>}
 * @throws {ModelFileError} When there is no such file.
 */
export async function readSource(source = bundled()) {
  if (isOf(source, "Uint8Array")) return plain(/** @type {Uint8Array} */ (source));
  if (isOf(source, "ArrayBuffer")) return new Uint8Array(/** @type {ArrayBuffer} */ (source));
  if (typeof source !== "string" && !isOf(source, "URL")) {
    throw new InputError(`a model is a path, a URL or bytes, not ${source === null ? source : typeof source}`);
  }
  const place = String(source);
  // Not an import: bundlers for the browser would stumble over it.
  const fs = globalThis.process?.getBuiltinModule?.("node:fs");
  return fs && !/^(https?|blob|data):/.test(place) ? readPath(fs, place) : download(place);
}

/**
 * `instanceof` for the classes of other realms too: those of a frame, or of a test in Jest.
 * @param {unknown} source @param {string} name
 */
const isOf = (source, name) => Object.prototype.toString.call(source) === `[object ${name}]`;

/** @param {typeof import("node:fs")} fs @param {string} path A path, or a URL of one. */
async function readPath(fs, path) {
  try {
    return plain(await fs.promises.readFile(path.startsWith("file://") ? new URL(path) : path));
  } catch (error) {
    throw new ModelFileError(`${path}: ${brief(error)}`, { cause: error });
  }
}

/**
 * A Node Buffer's `slice` shares memory where a Uint8Array's copies.
 * @param {Uint8Array} bytes
 */
const plain = (bytes) => new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);

/** @param {string} url */
async function download(url) {
  let response;
  try {
    response = await fetch(url);
  } catch (error) {
    throw new ModelFileError(`${url} cannot be reached: ${brief(error)}`, { cause: error });
  }
  // Servers of single-page apps answer a missing file with their page, as if all were well.
  if (!response.ok || /html/.test(response.headers.get("content-type") ?? "")) {
    throw new ModelFileError(`${url}: the server has no such file (status ${response.status})`);
  }
  return new Uint8Array(await response.arrayBuffer());
}
