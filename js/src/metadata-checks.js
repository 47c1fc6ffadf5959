// Whether what a model file says of itself can be: types, sizes, numbers and labels, as
// lstm_runtime/model_file/metadata_checks.py has it. A file is somebody else's.
import { ModelFileError } from "./errors.js";

const LARGEST_SIZE = 2 ** 31 - 1;
/** Numbers in the states of a text: they are allocated before onnxruntime can say no. */
const LARGEST_STATE = 2 ** 24;
const LONGEST_LABEL = 1000;
/** Ids: each text is filled up to so many. */
const LARGEST_PADDING = 2 ** 20;
/** What moves a cursor or turns the direction of writing, or is no character at all. */
const CONTROL = /[\0-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]|\p{Surrogate}/u;

/** @typedef {import("./metadata.js").Metadata} Metadata */

/**
 * Check the values of a file's metadata.
 * @param {Record<string, unknown>} found Each property's JSON value.
 * @returns {Metadata}
 * @throws {ModelFileError} Names the first that cannot be.
 */
export function checkedMetadata(found) {
  const { vocab_size: size, classes } = checkArchitecture(found.architecture);
  checkLabels(found.labels, Math.max(classes, found.activation === "none" ? 1 : 2));
  check("precision", ["fp32", "int8", "fp16"].includes(/** @type {string} */ (found.precision)));
  check("activation", [undefined, null, "sigmoid", "softmax", "none"].includes(/** @type {string} */ (found.activation)));
  check("threshold", isNumber(found.threshold) && found.threshold >= 0 && found.threshold <= 1);
  check("tolerance", isNumber(found.tolerance) && found.tolerance >= 0);
  check("source_sha256", isString(found.source_sha256));
  for (const name of ["metrics", "training", "versions", "parity"]) check(name, isAbsent(found[name]) || isObject(found[name]));
  if (!isAbsent(found.tokenizer)) checkTokenizer(found.tokenizer, size);
  check("vocabulary", isAbsent(found.vocabulary) || (isStrings(found.vocabulary) && found.vocabulary.length === size));
  const aliases = found.aliases ?? [];
  check("aliases", Array.isArray(aliases) && aliases.every((pair) => isStrings(pair) && pair.length === 2));
  const { reference } = found;
  check("reference", Array.isArray(reference) && reference.every((item) => isReference(item, classes, size)));
  return /** @type {Metadata} */ (/** @type {unknown} */ ({ ...found, tokenizer: found.tokenizer ?? null, aliases }));
}

/** @param {unknown} found @returns {import("./metadata.js").Architecture} */
function checkArchitecture(found) {
  if (!isObject(found)) throw damaged("architecture");
  const { n_layers, hidden_dim, bidirectional = false, readout = "last" } = found;
  for (const name of ["vocab_size", "classes"]) check(name, isSize(found[name], 1));
  for (const name of ["embedding_dim", "hidden_dim", "n_layers"]) check(name, isSize(found[name], 0));
  check("hidden_dim", Number(n_layers) * Number(hidden_dim) <= LARGEST_STATE);
  check("bidirectional", typeof bidirectional === "boolean");
  check("readout", isString(readout));
  return /** @type {import("./metadata.js").Architecture} */ (/** @type {unknown} */ (found));
}

/** @param {unknown} labels @param {number} count */
function checkLabels(labels, count) {
  if (!isStrings(labels)) throw damaged("labels");
  check("labels", labels.length === count && new Set(labels).size === count);
  check("labels", labels.every((label) => label.length <= LONGEST_LABEL && !CONTROL.test(label)));
}

/** @param {unknown} found @param {number} size Number of ids. */
function checkTokenizer(found, size) {
  if (!isObject(found)) throw damaged("tokenizer");
  const { pattern, pad, unknown, empty, case: letters = "lower", blank = [], delete: deleted = "" } = found;
  check("tokenizer", [pad, empty, ...(unknown === null ? [] : [unknown])].every((id) => isId(id, size)));
  check("tokenizer", isString(pattern) && isString(deleted) && isStrings(blank) && !blank.includes(""));
  check("tokenizer", letters === "lower" || letters === "keep");
  const { max_tokens, keep = "first", pad_to, pad_side = "left" } = found;
  check("tokenizer", [max_tokens, pad_to].every((count) => isAbsent(count) || isSize(count, 1)) && Number(pad_to ?? 1) <= LARGEST_PADDING);
  check("tokenizer", (keep === "first" || keep === "last") && (pad_side === "left" || pad_side === "right"));
}

/** @param {unknown} item @param {number} classes @param {number} size Number of ids. */
function isReference(item, classes, size) {
  if (!isObject(item)) return false;
  const { probability, text, ids } = item;
  const numbers = Array.isArray(probability) && probability.length === classes && probability.every(isNumber);
  if (isAbsent(ids)) return numbers && isString(text);
  return numbers && Array.isArray(ids) && ids.length > 0 && ids.every((id) => isId(id, size)) && (isAbsent(text) || isString(text));
}

/** @param {unknown} value @returns {value is Record<string, unknown>} */
const isObject = (value) => typeof value === "object" && value !== null && !Array.isArray(value);

/** @param {unknown} value @returns {value is string} */
const isString = (value) => typeof value === "string";

/** @param {unknown} value @returns {value is string[]} */
const isStrings = (value) => Array.isArray(value) && value.every(isString);

/** @param {unknown} value */
const isAbsent = (value) => value === undefined || value === null;

/** @param {unknown} value @returns {value is number} */
const isNumber = (value) => Number.isFinite(value);

/** @param {unknown} value @param {number} least */
const isSize = (value, least) => Number.isInteger(value) && Number(value) >= least && Number(value) <= LARGEST_SIZE;

/** @param {unknown} value @param {number} size Number of ids. */
const isId = (value, size) => Number.isInteger(value) && Number(value) >= 0 && Number(value) < size;

/** @param {string} name @param {boolean} holds */
function check(name, holds) {
  if (!holds) throw damaged(name);
}

/** @param {string} name */
const damaged = (name) => new ModelFileError(`the model file's metadata is damaged: ${name} is not as it must be`);
