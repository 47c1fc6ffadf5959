// Python's answers and the files around them, as all tests here take them.
import { readFileSync } from "node:fs";

const read = (name) => JSON.parse(readFileSync(new URL(`../../tests/golden/${name}.json`, import.meta.url), "utf8"));

export const golden = read("answers");

/** Token patterns: `linear`, `square`, `refused`. */
export const patterns = read("patterns");

/** The bundled model's bytes. */
export const bytes = readFileSync(new URL("../../runtime/lstm_runtime/models/default.int8.onnx", import.meta.url));

/** A text in messages: short, and readable whatever is in it. */
export const shown = (text) => JSON.stringify(text.slice(0, 40));
