// Names are spelled out: a bundler that shortens class names would change `constructor.name`.

/** Everything that lstm-edge throws on purpose. */
export class LstmEdgeError extends Error {
  name = "LstmEdgeError";
}

/** The file is missing, damaged, foreign, or of a newer version. */
export class ModelFileError extends LstmEdgeError {
  name = "ModelFileError";
}

/** The caller passed something that the model cannot read. */
export class InputError extends LstmEdgeError {
  name = "InputError";
}

/** A run failed, as for want of memory, or gave what is no answer. */
export class AnswerError extends LstmEdgeError {
  name = "AnswerError";
}

/** The model does not answer as the original did when it was exported. */
export class VerificationError extends LstmEdgeError {
  name = "VerificationError";
}

/** The model was closed. */
export class ClosedError extends LstmEdgeError {
  name = "ClosedError";
}

/** No onnxruntime is installed, or one that is too old. */
export class MissingRuntimeError extends LstmEdgeError {
  name = "MissingRuntimeError";
}

/**
 * The first line of what another library threw, cut to a readable length.
 * @param {unknown} error
 */
export function brief(error) {
  const message = error instanceof Error ? error.message : String(error);
  return message.trim().split("\n", 1).join("").slice(0, 200);
}
