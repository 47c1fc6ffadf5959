// One step of the LSTM that spells out its four gates, in the words of lstm_runtime/trace/lstm_cell.py:
// STM is the short-term memory (h), LTM the long-term memory (c) and E the new input.
import { InputError } from "./errors.js";
import { vocabulary, weights } from "./onnx-file.js";
import { wordIds } from "./tokenizer.js";

/**
 * @typedef {object} Gates Mean activity over the units of each layer, one value per layer.
 * @property {number[]} learn Of |N * i|: how much goes into the long-term memory.
 * @property {number[]} forget Of f: how much of the long-term memory stays.
 * @property {number[]} remember Of |LTM'|: the size of the new long-term memory.
 * @property {number[]} use Of |STM'|: the size of the new short-term memory.
 *
 * @typedef {(row: number, column: number) => number} Matrix
 * @typedef {{w: Matrix, r: Matrix, bias: Float32Array}} Layer ONNX stacks the rows of its gates: i, o, f, c.
 */

/** The network's weights out of a file, ready for single steps. */
export class Cell {
  #sizes;
  #layers;
  #embedding;
  #ids;
  #unknown;

  /** @param {Uint8Array} bytes @param {import("./metadata.js").Metadata} metadata */
  constructor(bytes, { architecture, tokenizer, vocabulary: words, aliases }) {
    const found = weights(bytes);
    this.#sizes = architecture;
    this.#embedding = embedding(found);
    this.#layers = Array.from({ length: architecture.n_layers }, (_, n) => layer(found, n));
    this.#ids = words ? wordIds(words, aliases) : vocabulary(bytes);
    this.#unknown = tokenizer?.unknown ?? tokenizer?.empty ?? 0;
  }

  /**
   * @param {string} token
   * @param {import("./engine.js").State} state Before it.
   * @returns {Gates}
   */
  step(token, { h, c }) {
    const { embedding_dim, hidden_dim } = this.#sizes;
    const id = this.#ids.get(token) ?? this.#unknown;
    let event = Float64Array.from({ length: embedding_dim }, (_, n) => this.#embedding(id, n));
    /** @type {Gates} */
    const gates = { learn: [], forget: [], remember: [], use: [] };
    for (const [n, weight] of this.#layers.entries()) {
      const part = [n * hidden_dim, (n + 1) * hidden_dim];
      const step = layerStep(weight, event, h.subarray(...part), c.subarray(...part));
      for (const name of /** @type {const} */ (["learn", "forget", "remember", "use"])) gates[name].push(meanSize(step[name]));
      event = step.use;
    }
    return gates;
  }
}

/**
 * @param {Layer} layer
 * @param {Float64Array} event E.
 * @param {Float32Array} stm
 * @param {Float32Array} ltm
 */
function layerStep({ w, r, bias }, event, stm, ltm) {
  const units = stm.length;
  const linear = (/** @type {number} */ row) => {
    let sum = (bias[row] ?? 0) + (bias[row + 4 * units] ?? 0);
    for (let k = 0; k < event.length; k++) sum += w(row, k) * (event[k] ?? 0);
    for (let k = 0; k < units; k++) sum += r(row, k) * (stm[k] ?? 0);
    return sum;
  };
  const of = (/** @type {(unit: number) => number} */ gate) => Float64Array.from({ length: units }, (_, unit) => gate(unit));
  const learn = of((unit) => Math.tanh(linear(3 * units + unit)) * sigmoid(linear(unit)));
  const forget = of((unit) => sigmoid(linear(2 * units + unit)));
  const remember = of((unit) => (ltm[unit] ?? 0) * (forget[unit] ?? 0) + (learn[unit] ?? 0));
  const use = of((unit) => sigmoid(linear(units + unit)) * Math.tanh(remember[unit] ?? 0));
  return { learn, forget, remember, use };
}

/** @typedef {ReturnType<typeof weights>} Weights */

/** @param {Weights} found @returns {Matrix} */
function embedding(found) {
  const plain = found.get("embedding");
  if (plain) return (id, n) => plain.data[id * (plain.sizes[1] ?? 0) + n] ?? 0;
  const { data, sizes } = required(found, "embedding_int8"), scale = required(found, "embedding_scale").data;
  return (id, n) => (data[id * (sizes[1] ?? 0) + n] ?? 0) * (scale[id] ?? 0);
}

/** @param {Weights} found @param {number} n @returns {Layer} */
function layer(found, n) {
  const name = `lstm_${n}`;
  return {
    w: matrix(found, `${name}_W`),
    r: matrix(found, `${name}_R`),
    bias: /** @type {Float32Array} */ (required(found, `${name}_B`).data),
  };
}

/** @param {Weights} found @param {string} name @returns {Matrix} */
function matrix(found, name) {
  const plain = found.get(name);
  if (plain) return (row, column) => plain.data[row * (plain.sizes[2] ?? 0) + column] ?? 0;
  // int8 matrices are stored transposed, with a scale for each row of the plain one.
  const { data, sizes } = required(found, `${name}_int8`), scale = required(found, `${name}_scale`).data;
  const rows = sizes[2] ?? 0;
  return (row, column) => (data[column * rows + row] ?? 0) * (scale[row] ?? 0);
}

/** @param {Weights} found @param {string} name */
function required(found, name) {
  const tensor = found.get(name);
  if (!tensor) throw new InputError(`gates need the weights of an fp32 or int8 file: ${name} is not among this one's`);
  return tensor;
}

/** @param {number} x */
const sigmoid = (x) => 1 / (1 + Math.exp(-x));

/** @param {Float64Array} values */
const meanSize = (values) => values.reduce((sum, value) => sum + Math.abs(value), 0) / values.length;
