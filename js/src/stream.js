import { floats } from "./engine.js";
import { InputError } from "./errors.js";
import { sentiment } from "./results.js";

/** Characters that are held back at most: each push reads them again. */
const MOST_PENDING = 10_000;

/**
 * @typedef {object} StreamState Where a stream stands: a plain value, which may be kept, cloned and
 *   posted to a worker.
 * @property {Float32Array} h Short-term memory, `[layers, hidden]`.
 * @property {Float32Array} c Long-term memory, `[layers, hidden]`.
 * @property {string} pending The end of what was pushed, not read yet since what follows may change its words.
 * @property {number[] | null} probability The model's output so far; null before the first token.
 * @property {string} [model] Checksum of the file whose state it is; none in one that an app made itself.
 */

/**
 * Reads a text piece by piece and says at any time what it thinks so far.
 *
 * Pieces may be cut anywhere, also within a word or a character: what may go on is held back until
 * more comes, or `finish` is called. So the answer does not depend on the cuts, up to the rounding
 * of the model's precision.
 */
export class SentimentStream {
  #engine;
  #state;
  /** @type {Promise<unknown>} */ #last = Promise.resolve();

  /** @internal @param {import("./engine.js").Engine} engine @param {StreamState} [state] */
  constructor(engine, state) {
    if (!engine.hasState) throw new InputError("this model cannot be streamed: it has no states to continue from");
    if (!engine.tokenizer) throw new InputError("this model has no tokeniser: it cannot be streamed text");
    this.#engine = engine;
    const zero = engine.zeroState();
    /** @type {StreamState} */
    this.#state = state ?? { ...zero, pending: "", probability: null, model: engine.digest };
    requireModel(this.#state.model, engine.digest);
    requireAnswer(this.#state, engine.metadata.architecture.classes);
    requireState("h", this.#state.h, zero.h.length);
    requireState("c", this.#state.c, zero.c.length);
  }

  /** Where the stream stands now; later pushes do not change it. @returns {StreamState} */
  get state() {
    return this.#state;
  }

  /**
   * Read the next piece of text.
   * @param {string} chunk
   * @returns {Promise<import("./results.js").Sentiment>} For all complete words so far; its `text` is this piece.
   */
  push(chunk) {
    return this.#next(async () => {
      if (typeof chunk !== "string") throw new InputError(`a piece of text must be a string, not ${typeof chunk}`);
      const tokenizer = /** @type {import("./tokenizer.js").Tokenizer} */ (this.#engine.tokenizer);
      const [complete, pending] = tokenizer.splitOpen(this.#state.pending + chunk);
      if (pending.length > MOST_PENDING) {
        throw new InputError(`${pending.length} characters could all be one word, and a stream holds back ${MOST_PENDING}: finish it`);
      }
      await this.#read(complete, pending);
      return this.#answer(chunk);
    });
  }

  /**
   * Read the word that was held back.
   * @returns {Promise<import("./results.js").Sentiment>} For the whole text; its `text` is that word.
   */
  finish() {
    return this.#next(async () => {
      const { pending } = this.#state;
      await this.#read(pending, "");
      return this.#answer(pending);
    });
  }

  /**
   * Pieces pushed without waiting are read in their order.
   * @template T @param {() => Promise<T>} step @returns {Promise<T>}
   */
  #next(step) {
    const done = this.#last.catch(() => {}).then(step);
    this.#last = done;
    return done;
  }

  /** @param {string} text @param {string} pending What stays held back. */
  async #read(text, pending) {
    const engine = this.#engine, before = this.#state;
    if (text) {
      const outputs = ["probability", "hn", "cn", ...engine.tokenOutputs];
      const answer = await engine.run(engine.textFeed(text), outputs, before);
      // A piece without a token is read as one unknown word: what is no token leaves the state alone.
      if (engine.tokens(text, answer).length) {
        const { probability, hn, cn } = answer;
        this.#state = {
          ...before,
          h: Float32Array.from(floats(hn)),
          c: Float32Array.from(floats(cn)),
          pending,
          probability: floats(probability),
        };
        return;
      }
    }
    this.#state = { ...before, pending };
  }

  /** @param {string} text */
  async #answer(text) {
    const engine = this.#engine;
    // Nothing read so far: the same answer as for an empty text.
    const probability = this.#state.probability ?? (await engine.probability(engine.textFeed("")));
    return sentiment(text, probability, engine.metadata);
  }
}

/** @param {string | undefined} found @param {string} digest */
function requireModel(found, digest) {
  if (found && found !== digest) {
    throw new InputError(
      `the state is another model's: it was made with a file whose checksum begins with ${String(found).slice(0, 12)}, ` +
        `and this one's with ${digest.slice(0, 12)}`,
    );
  }
}

/** @param {StreamState} state @param {number} classes */
function requireAnswer({ pending, probability }, classes) {
  if (typeof pending !== "string") throw new InputError(`state pending must be a string, not ${typeof pending}`);
  const numbers = Array.isArray(probability) && probability.length === classes && probability.every(Number.isFinite);
  if (probability !== null && !numbers) throw new InputError(`state probability must be null or ${classes} numbers`);
}

/** @param {string} name @param {unknown} array @param {number} length */
function requireState(name, array, length) {
  if (!(array instanceof Float32Array) || array.length !== length) {
    throw new InputError(`state ${name} must be a Float32Array of ${length} values for this model`);
  }
  if (!array.every(Number.isFinite)) throw new InputError(`state ${name} holds NaN or infinite values`);
}
