// onnxruntime sessions, with the settings that a guest in somebody's app should have.
import { brief, InputError, MissingRuntimeError, ModelFileError } from "./errors.js";

/**
 * @typedef {typeof import("onnxruntime-common")} Ort onnxruntime-node, onnxruntime-web/wasm or onnxruntime-react-native.
 * @typedef {import("onnxruntime-common").InferenceSession} Session
 *
 * @typedef {object} LoadOptions
 * @property {Ort} [ort] The onnxruntime to use; else the one that is installed. Workers need it: import maps do not reach them.
 * @property {import("onnxruntime-common").InferenceSession.SessionOptions} [sessionOptions] Put over this package's own.
 */

/** Before it, onnxruntime-node gave outputs each other's names. */
const OLDEST = [1, 24];

/** One thread, since a text's steps are too small to share; bounded memory; silence. */
const OPTIONS = {
  // lstm-export writes the graph as it should run.
  graphOptimizationLevel: /** @type {const} */ ("disabled"),
  intraOpNumThreads: 1,
  interOpNumThreads: 1,
  enableCpuMemArena: false,
  enableMemPattern: false,
  logSeverityLevel: /** @type {const} */ (4),
};

/**
 * Types hold nobody to this in plain JavaScript.
 * @param {LoadOptions} options
 * @throws {InputError}
 */
export function requireOptions(options) {
  if (!isObject(options)) throw new InputError("the options of a model are an object: { ort, sessionOptions }");
  const { ort, sessionOptions } = options;
  if (!isObject(sessionOptions ?? {})) throw new InputError("sessionOptions must be an object");
  if (ort === undefined || ort === null) return;
  const made = [ort?.InferenceSession?.create, ort?.Tensor].every((part) => typeof part === "function");
  if (!made || !isObject(ort.env?.versions)) {
    throw new InputError('ort is no onnxruntime: it wants all of one, as import * as ort from "onnxruntime-web/wasm" gives it');
  }
}

/** @param {unknown} value */
const isObject = (value) => typeof value === "object" && value !== null;

/**
 * Import the installed onnxruntime: onnxruntime-node in Node, onnxruntime-web/wasm in the browser.
 * @returns {Promise<Ort>}
 * @throws {MissingRuntimeError}
 */
export async function importRuntime() {
  // onnxruntime-node 1.29 and newer report to Microsoft, with all of a model's metadata, unless
  // this is set before they are loaded. An app that wants to report sets it to 0.
  if (globalThis.process?.env) process.env.ORT_DISABLE_TELEMETRY ??= "1";
  try {
    const found = /** @type {any} */ (await import("#ort"));
    return found.InferenceSession ? found : found.default;
  } catch (error) {
    throw new MissingRuntimeError(
      `no onnxruntime can be loaded (${brief(error)}): npm install onnxruntime-node, or onnxruntime-web for browsers`,
      { cause: error },
    );
  }
}

/**
 * @param {Ort} ort
 * @param {Uint8Array} bytes
 * @param {import("onnxruntime-common").InferenceSession.SessionOptions} [options]
 * @returns {Promise<Session>}
 * @throws {MissingRuntimeError} When the onnxruntime is too old.
 * @throws {ModelFileError} When it cannot load the bytes.
 */
export async function createSession(ort, bytes, options) {
  const { node, web } = ort.env.versions;
  requireVersion(node ?? web);
  // More threads need COOP and COEP headers, and made a text slower.
  if (web) ort.env.wasm.numThreads ??= 1;
  const provider = web ? "wasm" : "cpu";
  try {
    return await ort.InferenceSession.create(bytes, { executionProviders: [provider], ...OPTIONS, ...options });
  } catch (error) {
    throw new ModelFileError(`onnxruntime cannot load the model: ${brief(error)}`, { cause: error });
  }
}

/** @param {string | undefined} version */
function requireVersion(version) {
  const [major = 0, minor = 0] = version?.split(".").map(Number) ?? OLDEST;
  if (major === OLDEST[0] && minor < (OLDEST[1] ?? 0)) {
    throw new MissingRuntimeError(`onnxruntime ${version} gives outputs each other's names: install ${OLDEST.join(".")} or newer`);
  }
}
