// Answers: what the model says of one text.
import { AnswerError } from "./errors.js";

/**
 * @typedef {object} Sentiment
 * @property {string} text The text as it was given.
 * @property {string} label The label that the model chose.
 * @property {number} score Probability of `label`, 0 to 1.
 * @property {Record<string, number>} scores Probability of every label.
 * @property {number | null} known Share of the text's words that the model knows, 0 to 1, and 0 of a text
 *   without any: an answer to words that it has never seen says little. null where the model was given
 *   ids, and in a stream.
 *
 * @typedef {object} Token
 * @property {string} token The token, as the tokeniser saw it.
 * @property {number} start Where it starts in the text, in UTF-16 units as all of JavaScript's strings.
 * @property {number} end Where it ends.
 * @property {number[]} probability The model's output after it, one value per class.
 *
 * @typedef {object} Trace
 * @property {Sentiment} sentiment The answer for the whole text.
 * @property {Token[]} tokens The tokens that reach the network; none for a text without any.
 *
 * @typedef {object} Verification
 * @property {number} count Reference inputs replayed.
 * @property {number} maxDifference Largest difference from the original model's probabilities.
 * @property {number} tolerance Largest difference that the export allowed.
 */

/**
 * Name the label for one text's output.
 * @param {string} text
 * @param {readonly number[]} probability One value per class.
 * @param {import("./metadata.js").Metadata} metadata
 * @param {number | null} known
 * @returns {Sentiment}
 * @throws {AnswerError} When `probability` holds what is no answer, such as NaN.
 */
export function sentiment(text, probability, { labels, threshold }, known = null) {
  // NaN fails every comparison; half precision may round a sum of 1 up.
  if (!probability.length || !probability.every((value) => value >= 0 && value <= 1.001)) {
    throw new AnswerError(
      `the model answers ${probability.slice(0, 5).join(", ")}, which is no answer: the file's weights are damaged, ` +
        "or this device cannot run them (verify)",
    );
  }
  const [positive = NaN] = probability;
  const all = probability.length === 1 ? [1 - positive, positive] : probability;
  const best = probability.length === 1 ? Number(positive >= threshold) : all.indexOf(Math.max(...all));
  return {
    text,
    label: /** @type {string} */ (labels[best]),
    score: /** @type {number} */ (all[best]),
    scores: Object.fromEntries(labels.map((label, n) => [label, /** @type {number} */ (all[n])])),
    known,
  };
}
