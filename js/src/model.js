import { Engine, floats } from "./engine.js";
import { InputError, VerificationError } from "./errors.js";
import { sentiment } from "./results.js";
import { readSource } from "./source.js";
import { SentimentStream } from "./stream.js";

/** @typedef {import("./results.js").Sentiment} Sentiment */

/** A tolerance from which on a label may turn without a difference being found. */
const MEANINGLESS = 0.5;

/**
 * A model file, ready to answer. Make one with `load` and keep it: calls are cheap, loading is not.
 *
 * A text gets the very same answer alone and in a list: every text is a run of its own, since an
 * int8 run's scales would depend on what else is in the batch.
 */
export class SentimentModel {
  #engine;

  /** @internal @param {Engine} engine */
  constructor(engine) {
    this.#engine = engine;
  }

  /**
   * Load a model file.
   * @param {import("./source.js").ModelSource} [source] A path (Node), a URL, or the file's bytes; the
   *   model inside this package when left out.
   * @param {import("./session.js").LoadOptions} [options]
   * @returns {Promise<SentimentModel>}
   * @throws {import("./errors.js").ModelFileError} When the file is missing, damaged, foreign or newer.
   * @throws {import("./errors.js").MissingRuntimeError} When no onnxruntime is installed.
   */
  static async load(source, options = {}) {
    return new SentimentModel(await Engine.open(await readSource(source), options));
  }

  /** What the file says about itself. */
  get metadata() {
    return this.#engine.metadata;
  }

  /**
   * Answer one text, or each of a list.
   * @overload @param {string} texts @returns {Promise<Sentiment>}
   */
  /** @overload @param {readonly string[]} texts @returns {Promise<Sentiment[]>} */
  /**
   * @param {string | readonly string[]} texts
   * @returns {Promise<Sentiment | Sentiment[]>}
   */
  async score(texts) {
    if (!Array.isArray(texts)) return this.#scoreOne(/** @type {string} */ (texts));
    const answers = [];
    for (const text of texts) answers.push(await this.#scoreOne(text));
    return answers;
  }

  /**
   * Answer a text that an app's own tokeniser made ids of (files with the ids interface).
   * @param {readonly number[]} ids Whole numbers from 0 to `vocab_size - 1`, at least one.
   * @returns {Promise<Sentiment>} Its `text` is "".
   */
  async scoreIds(ids) {
    if (this.#engine.readsText) throw new InputError("this file takes text, not ids: export it with --interface ids");
    requireIds(ids, this.metadata.architecture.vocab_size);
    return sentiment("", await this.#engine.probability(this.#engine.idsFeed(ids)), this.metadata);
  }

  /**
   * What the model thinks after each token, with the token's place in the text.
   * @param {string} text
   * @returns {Promise<import("./results.js").Trace>}
   */
  async trace(text) {
    const engine = this.#engine;
    if (!engine.outputs.includes("trajectory")) throw new InputError("this model has no answer after each token");
    const outputs = ["probability", "trajectory", ...engine.tokenOutputs, ...engine.knownOutputs];
    const answer = await engine.run(engine.textFeed(text), outputs);
    const { classes } = this.metadata.architecture, steps = floats(answer.trajectory);
    const tokens = engine.tokens(text, answer).map(({ token, start, end }, n) => ({
      token, start, end, probability: steps.slice(n * classes, (n + 1) * classes),
    }));
    return { sentiment: sentiment(text, floats(answer.probability), this.metadata, engine.known(text, answer)), tokens };
  }

  /**
   * What the gates of each layer do at one token of a text.
   * @param {string} text
   * @param {import("./results.js").Token} token Of this text's `trace`.
   * @returns {Promise<import("./cell.js").Gates>}
   */
  async gates(text, token) {
    const engine = this.#engine;
    if (!engine.hasState) throw new InputError("this model has no states to look at");
    requireToken(text, token);
    const { start } = token;
    const before = text.slice(0, start);
    const answer = await engine.run(engine.textFeed(before), ["hn", "cn", ...engine.tokenOutputs]);
    const { hn, cn } = answer;
    const state = engine.tokens(before, answer).length
      ? { h: Float32Array.from(floats(hn)), c: Float32Array.from(floats(cn)) }
      : engine.zeroState();
    return engine.cell.step(token.token, state);
  }

  /**
   * A reader for one text that arrives in pieces.
   * @param {import("./stream.js").StreamState} [state] What an earlier stream of this model had as `state`.
   */
  stream(state) {
    return new SentimentStream(this.#engine, state);
  }

  /**
   * Replay the file's reference answers here.
   * @returns {Promise<import("./results.js").Verification>}
   * @throws {VerificationError} When an answer differs by more than the export allowed, and when the file has
   *   nothing to compare with, or allows whatever comes.
   */
  async verify() {
    const engine = this.#engine, { reference, tolerance } = this.metadata;
    if (!reference.length) throw new VerificationError("the file carries no reference answers, so nothing shows that it is right");
    if (!(tolerance < MEANINGLESS)) throw new VerificationError(`the file allows a difference of ${tolerance}, which proves nothing`);
    let maxDifference = 0;
    for (const { text, ids, probability } of reference) {
      const found = await engine.probability(ids ? engine.idsFeed(ids) : engine.textFeed(text ?? ""));
      for (const [n, expected] of probability.entries()) {
        // Plain numbers may be large, and float32 has seven digits: above 1, differences are relative. NaN stays.
        const difference = Math.abs((found[n] ?? NaN) - expected) / Math.max(1, Math.abs(expected));
        maxDifference = Math.max(maxDifference, difference);
      }
    }
    if (!(maxDifference <= tolerance)) {
      throw new VerificationError(`the model differs from the original by ${maxDifference}, where ${tolerance} is allowed`);
    }
    return { count: reference.length, maxDifference, tolerance };
  }

  /** Free the session. Calls under way finish; later ones throw a ClosedError. */
  async close() {
    await this.#engine.close();
  }

  /** @param {string} text */
  async #scoreOne(text) {
    const engine = this.#engine;
    const answer = await engine.run(engine.textFeed(text), ["probability", ...engine.knownOutputs]);
    return sentiment(text, floats(answer.probability), this.metadata, engine.known(text, answer));
  }
}

/** @param {string} text @param {import("./results.js").Token} token */
function requireToken(text, token) {
  if (typeof text !== "string") throw new InputError(`a text must be a string, not ${typeof text}`);
  const { token: word, start } = token ?? {};
  if (typeof word !== "string" || !Number.isInteger(start) || !(start >= 0 && start < text.length)) {
    throw new InputError("gates are those of a token of this text's trace: gates(text, token)");
  }
}

/** @param {readonly number[]} ids @param {number} size */
function requireIds(ids, size) {
  if (!Array.isArray(ids) || !ids.length) throw new InputError("the ids of a text are a list of at least one");
  const at = ids.findIndex((id) => !Number.isInteger(id) || id < 0 || id >= size);
  if (at >= 0) throw new InputError(`id ${ids[at]} at position ${at}: ids are whole numbers from 0 to ${size - 1}`);
}
