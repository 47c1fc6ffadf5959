// What a model file says about itself: lstm_runtime/model_file/contract.py in JavaScript.
import { ModelFileError } from "./errors.js";
import { checkedMetadata } from "./metadata-checks.js";

const FORMAT_VERSION = "1";

/**
 * @typedef {object} TokenizerSpec
 * @property {string} pattern A regular expression; every match of it is a token.
 * @property {number} pad Id behind the end of shorter texts.
 * @property {number | null} unknown Id of every token outside the vocabulary; null where such tokens are dropped.
 * @property {number} empty Id of the one token that a text without tokens reads as.
 * @property {"lower" | "keep"} [case] Whether A to Z are lowered; they are when left out.
 * @property {string[]} [blank] Strings, lowered too, at which a text is cut before tokens are taken.
 * @property {string} [delete] Characters taken out of tokens; a token of nothing else is none.
 * @property {number} [max_tokens] Ids that are kept of a text; all when left out.
 * @property {"first" | "last"} [keep] Which of them; the first when left out.
 * @property {number} [pad_to] Ids to which shorter texts are filled up with `pad`.
 * @property {"left" | "right"} [pad_side] Where the padding stands; on the left when left out.
 *
 * @typedef {object} Architecture
 * @property {number} vocab_size Number of ids.
 * @property {number} embedding_dim Length of a word's vector.
 * @property {number} hidden_dim Units of each LSTM layer.
 * @property {number} n_layers LSTM layers.
 * @property {number} classes Probabilities per text: 1 (of the second label) or one for each label.
 * @property {boolean} bidirectional Whether the LSTM also reads from the end.
 * @property {string} readout What the linear layers see.
 *
 * @typedef {object} Reference One input with the original model's answer.
 * @property {number[]} probability One value per class.
 * @property {string | null} text The input of a file with the text interface.
 * @property {number[] | null} ids The input of a file with the ids interface.
 *
 * @typedef {object} Metadata
 * @property {string[]} labels With one class: the label below the threshold, and the one from it on.
 * @property {number} threshold With one class: the probability from which on the second label is given.
 * @property {Architecture} architecture
 * @property {"fp32" | "int8" | "fp16"} precision Number format of the weights.
 * @property {number} tolerance Largest difference from the original's probability that the export allowed.
 * @property {string} source_sha256 SHA-256 of the checkpoint.
 * @property {Reference[]} reference Inputs with the original model's answers.
 * @property {TokenizerSpec | null} tokenizer null where the model was exported without a vocabulary.
 * @property {"sigmoid" | "softmax" | "none" | null} [activation] What makes the answer of the network's numbers.
 * @property {string[] | null} vocabulary Words by id, in files with the ids interface.
 * @property {[alias: string, word: string][]} [aliases] Other spellings of these words, each with its word.
 * @property {Record<string, any> | null} metrics Measures of the checkpoint.
 * @property {Record<string, any> | null} training How the checkpoint came about.
 * @property {Record<string, string> | null} versions Of the libraries that wrote the file.
 * @property {Record<string, any> | null} parity Differences from the original model.
 * @property {number} format_version
 */

/**
 * @param {Record<string, string>} props Each a JSON value, as they stand in the file.
 * @returns {Metadata}
 * @throws {ModelFileError} When the file was not written by lstm-export, is newer, or is damaged.
 */
export function parseMetadata(props) {
  if (!("format_version" in props && "architecture" in props)) {
    throw new ModelFileError("not a model file of lstm-export: it carries no lstm-edge metadata");
  }
  if (props.format_version !== FORMAT_VERSION) {
    throw new ModelFileError(
      `model file of format ${props.format_version?.slice(0, 20)}; this version of lstm-edge reads format ` +
        `${FORMAT_VERSION}: upgrade lstm-edge, or export the model again`,
    );
  }
  const { seal, ...rest } = props; // not JSON: see checksum.js
  /** @type {Record<string, unknown>} */
  let values;
  try {
    values = Object.fromEntries(Object.entries(rest).map(([name, value]) => [name, JSON.parse(value)]));
  } catch (error) {
    throw new ModelFileError("the model file's metadata is damaged", { cause: error });
  }
  const found = checkedMetadata(values);
  if (found.activation === "none") {
    throw new ModelFileError(
      "the model answers with plain numbers, and this package gives labels: run the file with ONNX Runtime itself",
    );
  }
  return found;
}
