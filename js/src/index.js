export {
  AnswerError,
  ClosedError,
  InputError,
  LstmEdgeError,
  MissingRuntimeError,
  ModelFileError,
  VerificationError,
} from "./errors.js";
export { SentimentModel } from "./model.js";
export { SentimentStream } from "./stream.js";

/**
 * @typedef {import("./results.js").Sentiment} Sentiment
 * @typedef {import("./results.js").Token} Token
 * @typedef {import("./results.js").Trace} Trace
 * @typedef {import("./results.js").Verification} Verification
 * @typedef {import("./cell.js").Gates} Gates
 * @typedef {import("./metadata.js").Metadata} Metadata
 * @typedef {import("./stream.js").StreamState} StreamState
 * @typedef {import("./source.js").ModelSource} ModelSource
 * @typedef {import("./session.js").Ort} Ort
 * @typedef {import("./session.js").LoadOptions} LoadOptions
 */
