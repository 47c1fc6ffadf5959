// A session and what its file says of itself: feeds in, tensors out.
import { Cell } from "./cell.js";
import { verifyChecksum } from "./checksum.js";
import { AnswerError, brief, ClosedError, InputError } from "./errors.js";
import { parseMetadata } from "./metadata.js";
import { frontEnd, metadataProps, withoutDefaults, withoutLowering, withOutputs } from "./onnx-file.js";
import { createSession, importRuntime, requireOptions } from "./session.js";
import { lower, replaceUnportable, WordEncoder, Tokenizer } from "./tokenizer.js";

/**
 * @typedef {import("onnxruntime-common").Tensor} Tensor
 * @typedef {Record<string, Tensor>} Tensors
 * @typedef {{h: Float32Array, c: Float32Array}} State Short-term and long-term memory, each `[layers, hidden]`.
 */

/** Runs the graph, one call after the other; knows which inputs and outputs its file has. */
export class Engine {
  #ort;
  #session;
  #bytes;
  /** @type {Cell | undefined} */ #cell;
  /** @type {Promise<unknown>} */ #last = Promise.resolve();
  #closed = false;
  #frontEnd;

  /**
   * @param {import("./session.js").Ort} ort
   * @param {import("./session.js").Session} session
   * @param {Uint8Array} bytes The file.
   * @param {import("./metadata.js").Metadata} metadata
   * @param {string} digest Its checksum.
   */
  constructor(ort, session, bytes, metadata, digest) {
    this.#ort = ort;
    this.#session = session;
    this.#bytes = bytes;
    this.metadata = metadata;
    this.digest = digest;
    this.#frontEnd = frontEnd(bytes);
    const { tokenizer: spec, vocabulary: words, aliases } = metadata;
    this.readsText = session.inputNames.includes("text");
    this.tokenizer = spec && new Tokenizer(spec);
    this.encoder = !this.readsText && spec && words ? new WordEncoder(spec, words, aliases) : null;
    this.outputs = session.outputNames;
  }

  /**
   * @param {Uint8Array} bytes
   * @param {import("./session.js").LoadOptions} options
   */
  static async open(bytes, options) {
    requireOptions(options);
    let { ort, sessionOptions } = options;
    const digest = await verifyChecksum(bytes);
    const metadata = parseMetadata(metadataProps(bytes));
    ort ??= await importRuntime();
    const plain = withoutDefaults(lowers(metadata) ? withoutLowering(bytes) : bytes, ["h0", "c0"]);
    const opened = withOutputs(plain, Object.values(frontEnd(bytes) ?? {}));
    return new Engine(ort, await createSession(ort, opened, sessionOptions), bytes, metadata, digest);
  }

  /** Whether a text can be continued: the file takes and gives states. */
  get hasState() {
    return this.#session.inputNames.includes("h0") && this.outputs.includes("hn");
  }

  /** What every text starts from. @returns {State} */
  zeroState() {
    const { n_layers, hidden_dim } = this.metadata.architecture;
    const size = n_layers * hidden_dim;
    return { h: new Float32Array(size), c: new Float32Array(size) };
  }

  /** @param {string} text @returns {Tensors} The inputs for it. */
  textFeed(text) {
    if (typeof text !== "string") throw new InputError(`a text must be a string, not ${typeof text}`);
    if (this.readsText) {
      const clean = replaceUnportable(text);
      return { text: new this.#ort.Tensor("string", [lowers(this.metadata) ? lower(clean) : clean], [1]) };
    }
    if (this.encoder) return this.idsFeed(this.encoder.ids(text));
    throw new InputError("this file was exported without a vocabulary and cannot read text: lstm-export --vocab FILE puts one in");
  }

  /** @param {readonly number[]} ids Those of one text. @returns {Tensors} The inputs for them. */
  idsFeed(ids) {
    const { Tensor } = this.#ort;
    return {
      ids: new Tensor("int64", BigInt64Array.from(ids, BigInt), [1, ids.length]),
      lengths: new Tensor("int32", Int32Array.of(ids.length), [1]),
    };
  }

  /**
   * Run the graph. Calls wait for each other: onnxruntime-web's sessions cannot overlap.
   * @param {Tensors} feed
   * @param {readonly string[]} outputs
   * @param {State} [state] Zeros when left out.
   * @returns {Promise<Tensors>}
   * @throws {AnswerError} When onnxruntime cannot run it, as for want of memory.
   */
  async run(feed, outputs, state = this.zeroState()) {
    if (this.#closed) throw new ClosedError("the model is closed: load it again");
    const all = this.#session.inputNames.includes("h0") ? { ...feed, ...this.#stateFeed(state) } : feed;
    const answer = this.#last.catch(() => {}).then(() => this.#session.run(all, outputs)).catch((error) => {
      throw new AnswerError(`onnxruntime cannot answer: ${brief(error)}`, { cause: error });
    });
    this.#last = answer;
    return /** @type {Promise<Tensors>} */ (answer);
  }

  /** @param {Tensors} feed @returns {Promise<number[]>} One value per class. */
  async probability(feed) {
    return floats((await this.run(feed, ["probability"])).probability);
  }

  /** The outputs to ask for, so that `known` can say how much of a text the model knows. */
  get knownOutputs() {
    if (!this.#frontEnd) return [];
    const { tokens, ids } = this.#frontEnd;
    // Unknown words, which are dropped, look like padding, but for their letters.
    return this.#drops ? [ids, tokens] : [ids];
  }

  /**
   * The share of a text's words that have an id of their own, 0 of none; null without a vocabulary.
   * @param {string} text
   * @param {Tensors} answer With `knownOutputs` in it.
   */
  known(text, answer) {
    if (!this.#frontEnd) return this.encoder?.known(text) ?? null;
    const ids = Array.from(/** @type {BigInt64Array} */ (answer[this.#frontEnd.ids]?.data ?? []), Number).filter((id) => id >= 0);
    if (this.#drops) {
      const seen = /** @type {string[]} */ (answer[this.#frontEnd.tokens]?.data ?? []).filter(Boolean);
      return ids.length / Math.max(seen.length, 1);
    }
    return ids.filter((id) => id !== this.metadata.tokenizer?.unknown).length / Math.max(ids.length, 1);
  }

  /** Whether words without an id are left out. */
  get #drops() {
    return (this.metadata.tokenizer?.unknown ?? null) === null;
  }

  /** The outputs to ask for, so that `tokens` can say which tokens reached the network. */
  get tokenOutputs() {
    return this.readsText ? ["tokens"] : [];
  }

  /**
   * The tokens that reached the network, with their places in the text.
   * @param {string} text
   * @param {Tensors} answer With `tokenOutputs` in it.
   */
  tokens(text, answer) {
    if (!this.readsText) return this.encoder?.encode(text) ?? [];
    const seen = /** @type {string[]} */ (answer.tokens?.data ?? []).filter(Boolean);
    return this.tokenizer?.locate(text, seen) ?? [];
  }

  /** The LSTM's step in JavaScript, for whoever wants to see its gates. */
  get cell() {
    return (this.#cell ??= new Cell(this.#bytes, this.metadata));
  }

  /** Free the session when the calls under way are done. */
  async close() {
    if (this.#closed) return;
    this.#closed = true;
    await this.#last.catch(() => {});
    await this.#session.release();
  }

  /** @param {State} state */
  #stateFeed({ h, c }) {
    const { n_layers, hidden_dim } = this.metadata.architecture;
    const tensor = (/** @type {Float32Array} */ data) => new this.#ort.Tensor("float32", data, [n_layers, 1, hidden_dim]);
    return { h0: tensor(h), c0: tensor(c) };
  }
}

/**
 * Whether A to Z are lowered, before the graph sees them: see withoutLowering.
 * @param {import("./metadata.js").Metadata} metadata
 */
const lowers = ({ tokenizer }) => (tokenizer?.case ?? "lower") === "lower";

/** @param {Tensor | undefined} tensor @returns {number[]} */
export const floats = (tensor) => Array.from(/** @type {Float32Array} */ (tensor?.data ?? []));
