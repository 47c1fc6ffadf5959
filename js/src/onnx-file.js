// What onnxruntime's JavaScript packages do not give of an ONNX file: its metadata, its weights and
// vocabulary, values inside the graph, the choice to feed an input that has a default, and one lowering
// of letters everywhere. The field numbers are those of onnx.proto, which never change.
import { encodeVarint, fields, fieldsOf, integers, textOf } from "./protobuf.js";

const MODEL = { graph: 7, metadata: 14 };
const GRAPH = { node: 1, initializer: 5, output: 12 };
const NODE = { input: 1, output: 2, operator: 4, attribute: 5 };
const VALUE = { name: 1 };
const ATTRIBUTE = { name: 1, text: 4, integers: 8, strings: 9 };
const TENSOR = { sizes: 1, type: 2, name: 8, raw: 9 };
const ENTRY = { key: 1, value: 2 };

/** Types of TensorProto and how JavaScript reads their little-endian bytes. */
const FLOAT = 1, INT8 = 3;

/** @typedef {import("./protobuf.js").Field} Field */

/**
 * The metadata of a model file: name to text.
 * @param {Uint8Array} bytes
 * @returns {Record<string, string>}
 */
export function metadataProps(bytes) {
  /** @type {Record<string, string>} */
  const found = {};
  for (const entry of fieldsOf(bytes, whole(bytes), MODEL.metadata)) {
    found[textField(bytes, entry, ENTRY.key)] = textField(bytes, entry, ENTRY.value);
  }
  return found;
}

/**
 * The file without the default values of `names`, which makes them ordinary inputs.
 *
 * What is fed to an input that has a default (an input that is also an initializer) is ignored by
 * onnxruntime-node without a word, and refused by onnxruntime-web.
 * @param {Uint8Array} bytes
 * @param {readonly string[]} names
 */
export function withoutDefaults(bytes, names) {
  return withGraph(bytes, (part) => {
    const isDefault = part.number === GRAPH.initializer && names.includes(textField(bytes, part, TENSOR.name));
    return isDefault ? [] : [partOf(bytes, part)];
  });
}

/**
 * The file whose graph leaves the case of letters alone, for texts whose A to Z are lowered already.
 *
 * onnxruntime-web's StringNormalizer lowers the letters of every alphabet, whatever its locale; the other
 * packages, and Python and C, those of the locale C alone. Without the attribute it lowers none.
 * @param {Uint8Array} bytes
 */
export function withoutLowering(bytes) {
  const isLowering = (/** @type {Field} */ field) => field.number === NODE.attribute
    && textField(bytes, field, ATTRIBUTE.name) === "case_change_action" && textField(bytes, field, ATTRIBUTE.text) === "LOWER";
  return withGraph(bytes, (part) => {
    const lowers = part.number === GRAPH.node && textField(bytes, part, NODE.operator) === "StringNormalizer";
    if (!lowers) return [partOf(bytes, part)];
    const kept = Array.from(fields(bytes, part)).filter((field) => !isLowering(field));
    return messageParts(GRAPH.node, kept.map((field) => partOf(bytes, field)));
  });
}

/**
 * The file with values inside the graph as outputs too, behind its own; onnxruntime infers their types.
 * @param {Uint8Array} bytes
 * @param {readonly string[]} names
 */
export function withOutputs(bytes, names) {
  const added = names.map((name) => message(GRAPH.output, message(VALUE.name, new TextEncoder().encode(name))));
  return withGraph(bytes, (part) => [partOf(bytes, part)], added);
}

/**
 * The values at which the graph makes ids of texts: what the pattern matched, and the ids of that, both
 * `[1, matches]`; null in files that take ids. See lstm_runtime/model_file/front_end.py.
 * @param {Uint8Array} bytes
 * @returns {{tokens: string, ids: string} | null}
 */
export function frontEnd(bytes) {
  for (const graph of fieldsOf(bytes, whole(bytes), MODEL.graph)) {
    const nodes = [...fieldsOf(bytes, graph, GRAPH.node)];
    const first = (/** @type {string} */ operator) => nodes.find((node) => textField(bytes, node, NODE.operator) === operator);
    const encoder = first("Tokenizer") && first("LabelEncoder");
    if (encoder) return { tokens: textField(bytes, encoder, NODE.input), ids: textField(bytes, encoder, NODE.output) };
  }
  return null;
}

/**
 * The file with each part of its graph as `change` has it, and some more behind them.
 * @param {Uint8Array} bytes
 * @param {(part: Field) => Uint8Array[]} change
 * @param {Uint8Array[]} added
 */
function withGraph(bytes, change, added = []) {
  return concat(Array.from(fields(bytes)).flatMap((field) => {
    if (field.number !== MODEL.graph) return [partOf(bytes, field)];
    return messageParts(MODEL.graph, [...Array.from(fields(bytes, field)).flatMap(change), ...added]);
  }));
}

/** @param {Uint8Array} bytes @param {Field} field */
const partOf = (bytes, { from, end }) => bytes.subarray(from, end);

/** A field that holds a message, or text. @param {number} number @param {Uint8Array} content */
const message = (number, content) => concat(messageParts(number, [content]));

/** @param {number} number @param {Uint8Array[]} content */
function messageParts(number, content) {
  const size = content.reduce((sum, part) => sum + part.length, 0);
  return [Uint8Array.from([number * 8 + 2, ...encodeVarint(size)]), ...content];
}

/**
 * The numeric initializers that JavaScript can read without a library: float32 and int8.
 * @param {Uint8Array} bytes
 * @returns {Map<string, {sizes: number[], data: Float32Array | Int8Array}>}
 */
export function weights(bytes) {
  const found = new Map();
  for (const graph of fieldsOf(bytes, whole(bytes), MODEL.graph)) {
    for (const tensor of fieldsOf(bytes, graph, GRAPH.initializer)) {
      const [raw] = fieldsOf(bytes, tensor, TENSOR.raw), [type] = fieldsOf(bytes, tensor, TENSOR.type);
      if (!raw || (type?.value !== FLOAT && type?.value !== INT8)) continue;
      const copy = bytes.slice(raw.start, raw.end).buffer; // a view of floats has to be aligned
      const data = type.value === FLOAT ? new Float32Array(copy) : new Int8Array(copy);
      found.set(textField(bytes, tensor, TENSOR.name), { sizes: integers(bytes, tensor, TENSOR.sizes), data });
    }
  }
  return found;
}

/**
 * Word to id, as the graph's LabelEncoder has it; empty in files that take ids.
 * @param {Uint8Array} bytes
 * @returns {Map<string, number>}
 */
export function vocabulary(bytes) {
  for (const graph of fieldsOf(bytes, whole(bytes), MODEL.graph)) {
    for (const node of fieldsOf(bytes, graph, GRAPH.node)) {
      if (textField(bytes, node, NODE.operator) !== "LabelEncoder") continue;
      const attributes = [...fieldsOf(bytes, node, NODE.attribute)];
      const named = (/** @type {string} */ name) => attributes.find((a) => textField(bytes, a, ATTRIBUTE.name) === name);
      const words = named("keys_strings"), ids = named("values_int64s");
      if (!words || !ids) continue;
      const numbers = integers(bytes, ids, ATTRIBUTE.integers);
      return new Map(Array.from(fieldsOf(bytes, words, ATTRIBUTE.strings), (word, n) => [textOf(bytes, word), numbers[n] ?? 0]));
    }
  }
  return new Map();
}

/** @param {Uint8Array} bytes */
const whole = (bytes) => ({ start: 0, end: bytes.length });

/** @param {Uint8Array} bytes @param {Field} message @param {number} number */
function textField(bytes, message, number) {
  return textOf(bytes, fieldsOf(bytes, message, number).next().value);
}

/** @param {Uint8Array[]} parts */
function concat(parts) {
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
