// Python's answers and the files around them, as all tests here take them.
import { readFileSync } from "node:fs";

export const golden = JSON.parse(readFileSync(new URL("../../tests/golden/answers.json", import.meta.url), "utf8"));

/** The bundled model's bytes. */
export const bytes = readFileSync(new URL("../../runtime/lstm_runtime/models/default.int8.onnx", import.meta.url));

/** A text in messages: short, and readable whatever is in it. */
export const shown = (text) => JSON.stringify(text.slice(0, 40));
