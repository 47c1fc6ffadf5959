// What a file says of itself is somebody else's: every value is checked before it is used.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { LstmEdgeError, ModelFileError, SentimentModel } from "lstm-edge";
import { metadataProps } from "../src/onnx-file.js";

const MARKER = "lstm-edge-sha256:";
const files = ["tiny.int8", "ids"].map((name) => readFileSync(new URL(`../../tests/data/models/${name}.onnx`, import.meta.url)));
const ids = files[1];

function varint(number) {
  return number < 128 ? [number] : [(number & 127) | 128, ...varint(number >> 7)];
}

/** A field of protobuf. */
const field = (number, bytes) => Buffer.from([...varint((number << 3) | 2), ...varint(bytes.length), ...bytes]);

/** The file with another value of a property, which stands behind the first, and a checksum that fits. */
function saying(original, name, value) {
  const entry = [field(1, Buffer.from(name)), field(2, Buffer.from(value))];
  const copy = Buffer.concat([original, field(14, Buffer.concat(entry))]);
  const at = copy.lastIndexOf(MARKER) + MARKER.length;
  copy.fill("0", at, at + 64);
  copy.write(createHash("sha256").update(copy).digest("hex"), at, "latin1");
  return copy;
}

const props = metadataProps(new Uint8Array(ids));
const changed = (name, change) => JSON.stringify({ ...JSON.parse(props[name]), ...change });

test("values that cannot be are refused when the file is loaded", async () => {
  const never = ["true", "5", "-1", '"x"', "[null]", '{"a":1}', "{", "1e400"];
  const refused = Object.entries({
    architecture: [...never, "null", "[]", ...[{ vocab_size: 0 }, { classes: 1.5 }, { hidden_dim: 2 ** 30 }, { n_layers: "2" }, { bidirectional: 1 }, { readout: 5 }].map((change) => changed("architecture", change))],
    labels: [...never, "null", "[]", '["a"]', '["a","a"]', '["a",5]', '["a","\\u001b[2J"]', '["a","\\ud800"]', '["a","\\u202e"]', JSON.stringify(["a", "b".repeat(1001)])],
    threshold: ["null", '"0.5"', "[]", "-0.1", "1.1", "1e400"],
    tolerance: ["null", '"0.5"', "-1", "true"],
    precision: ["null", '"int4"', "5"],
    activation: ['"relu"', "5", "{}"],
    source_sha256: ["null", "5"],
    metrics: ["5", "[]", '"x"'],
    tokenizer: [...never, "[]", ...[
      { pattern: 5 }, { pattern: null }, { pattern: "(" }, { pattern: "(a|aa)+$" }, { pad: 1.5 }, { pad: -1 }, { unknown: 1e6 }, { empty: null }, { case: "upper" },
      { blank: "x" }, { blank: [""] }, { blank: [5] }, { delete: 5 }, { max_tokens: 0 }, { max_tokens: "5" }, { pad_to: 2 ** 40 }, { pad_to: 2 ** 20 + 1 }, { keep: "middle" }, { pad_side: "up" },
    ].map((change) => changed("tokenizer", change))],
    vocabulary: [...never, "[]", '["a"]'],
    aliases: [...never, '["ab"]', '[["a"]]', '[["a",5]]', '[["a","b","c"]]'],
    reference: [...never, "null", "[5]", '[{}]', '[{"probability":"x","text":"a","ids":null}]', '[{"probability":[null],"text":"a","ids":null}]', '[{"probability":[0.5],"text":null,"ids":[]}]', '[{"probability":[0.5],"text":null,"ids":[-1]}]', '[{"probability":[0.5],"text":null,"ids":null}]'],
  });
  for (const [name, values] of refused) {
    for (const value of values) {
      await assert.rejects(SentimentModel.load(saying(ids, name, value)), (error) => error instanceof ModelFileError && !error.message.includes("\n"), `${name}: ${value}`);
    }
  }
});

test("values that may be are taken", async () => {
  const { length } = JSON.parse(props.vocabulary);
  for (const [name, value] of Object.entries({ aliases: "null", metrics: "null", activation: "null", reference: "[]", extra: "5", tokenizer: changed("tokenizer", { pad_to: 5, unknown: length - 1 }) })) {
    const model = await SentimentModel.load(saying(ids, name, value));
    assert.ok((await model.score("a good film")).score >= 0.5, name);
    await model.close();
  }
});

test("whatever stands there, nothing but this package's errors comes out", async () => {
  const values = ["null", "true", "0", "-1", "1e400", '"x"', "[]", "{}", "[null]", '{"a":1}', "4294967296"];
  for (const original of files) {
    for (const name of Object.keys(props).filter((name) => name !== "seal")) {
      for (const value of values) await assert.doesNotReject(used(saying(original, name, value)), `${name}: ${value}`);
    }
  }
});

/** Every call that there is, of which each may fail in its own way. */
async function used(bytes) {
  const ours = (error) => assert.ok(error instanceof LstmEdgeError, String(error?.stack));
  const model = await SentimentModel.load(bytes).catch(ours);
  if (!model) return;
  await model.score("a good film").catch(ours);
  await model.verify().catch(ours);
  const trace = await model.trace("a good film").catch(ours);
  if (trace?.tokens.length) await model.gates("a good film", trace.tokens.at(-1)).catch(ours);
  await (async () => model.stream().push("a good film "))().catch(ours);
  await model.close();
}
