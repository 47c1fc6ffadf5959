// Files: where they come from, what is read out of them, and what is refused.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { createServer } from "node:http";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { test } from "node:test";
import { runInNewContext } from "node:vm";
import * as ort from "onnxruntime-node";
import { InputError, MissingRuntimeError, ModelFileError, SentimentModel } from "lstm-edge";
import { frontEnd, metadataProps, withoutDefaults, withoutLowering, withOutputs } from "../src/onnx-file.js";
import { bytes } from "./golden.js";

const SOURCE = fileURLToPath(new URL("../models/default.int8.onnx", import.meta.url));
const MARKER = "lstm-edge-sha256:";

/** The file with one of its texts replaced by another of the same length. */
function altered(from, to, original = bytes) {
  const copy = Buffer.from(original), at = copy.lastIndexOf(from);
  assert.ok(at >= 0 && from.length === to.length);
  copy.write(to, at, "latin1");
  return copy;
}

/** A changed file with a checksum that fits, so that what else is wrong with it shows. */
function sealedAnew(changed) {
  const copy = Buffer.from(changed), at = copy.lastIndexOf(MARKER) + MARKER.length;
  copy.fill("0", at, at + 64);
  copy.write(createHash("sha256").update(copy).digest("hex"), at, "latin1");
  return copy;
}

/** The bytes as a frame or one of Jest's tests has them, whose classes are not ours. */
function ofAnotherRealm(original) {
  const array = runInNewContext("Uint8Array.from(original)", { original });
  assert.ok(!(array instanceof Uint8Array) && !(array.buffer instanceof ArrayBuffer));
  return [array, array.buffer];
}

async function answers(source) {
  const model = await SentimentModel.load(source);
  const { score } = await model.score("One of the finest films I have ever seen.");
  await model.close();
  return score;
}

test("a path, a URL, an address, and bytes of any kind give one model", async (t) => {
  const server = createServer((request, response) => response.end(bytes));
  t.after(() => server.close());
  await new Promise((ready) => server.listen(0, "127.0.0.1", ready));
  const wide = new Uint8Array(bytes.length + 7);
  wide.set(bytes, 7);
  const sources = [
    undefined, SOURCE, new URL(`file://${SOURCE}`), import.meta.resolve("lstm-edge/models/default.int8.onnx"), `http://127.0.0.1:${server.address().port}/m.onnx`,
    bytes, wide.subarray(7), Uint8Array.from(bytes).buffer, ...ofAnotherRealm(bytes),
  ];
  const found = new Set();
  for (const source of sources) found.add(await answers(source));
  assert.equal(found.size, 1);
  assert.deepEqual(bytes, Buffer.from(wide.subarray(7)), "the caller's bytes stay as they are");
});

test("metadata is read as it stands in the file", async () => {
  const props = metadataProps(new Uint8Array(bytes));
  assert.equal(props.precision, '"int8"');
  assert.match(props.seal, /^lstm-edge-sha256:[0-9a-f]{64}$/);
  const model = await SentimentModel.load();
  assert.deepEqual(model.metadata.labels, ["negative", "positive"]);
  assert.equal(model.metadata.reference[0].text, "One of the finest films I have ever seen.");
  assert.equal(model.metadata.seal, undefined);
  await model.close();
});

test("states become inputs that are fed, and nothing else changes", async () => {
  const stripped = withoutDefaults(new Uint8Array(bytes), ["h0", "c0"]);
  const removed = bytes.length - stripped.length;
  assert.ok(removed > 0 && removed < 4096, `${removed} bytes`);
  assert.deepEqual(metadataProps(stripped), metadataProps(new Uint8Array(bytes)));
  assert.deepEqual(withoutDefaults(new Uint8Array(bytes), []), new Uint8Array(bytes));
});

test("values inside the graph become outputs, and nothing else changes", async () => {
  const names = Object.values(frontEnd(new Uint8Array(bytes)));
  const more = withOutputs(new Uint8Array(bytes), names);
  assert.equal(more.length - bytes.length, names.join("").length + 4 * names.length);
  const before = await ort.InferenceSession.create(bytes), after = await ort.InferenceSession.create(more);
  assert.deepEqual(after.outputNames, [...before.outputNames, ...names]);
  await Promise.all([before.release(), after.release()]);
});

test("the graph leaves the case of letters alone, and nothing else changes", async () => {
  const plain = withoutLowering(new Uint8Array(bytes));
  assert.deepEqual(metadataProps(plain), metadataProps(new Uint8Array(bytes)));
  assert.ok(bytes.length - plain.length < 50);
  assert.deepEqual(withoutLowering(plain), plain);
  for (const [file, tokens] of [[bytes, ["great", "film"]], [plain, ["film"]]]) {
    const session = await ort.InferenceSession.create(file);
    const answer = await session.run({ text: new ort.Tensor("string", ["GREAT film"], [1]) }, ["tokens"]);
    assert.deepEqual(answer.tokens.data, tokens);
    await session.release();
  }
});

test("a changed byte anywhere is found", async () => {
  for (const at of [100, 1_000_000, bytes.length - 200]) {
    const copy = Uint8Array.from(bytes);
    copy[at] ^= 1;
    await assert.rejects(SentimentModel.load(copy), ModelFileError);
  }
  await assert.rejects(SentimentModel.load(altered("Qwxzv", "Pwxzv")), /checksum does not fit/);
});

test("a file without a checksum is refused, and one that was sealed anew is read", async () => {
  const blank = Buffer.from(bytes), at = blank.lastIndexOf(MARKER) + MARKER.length;
  blank.fill("0", at, at + 64);
  for (const bad of [blank, altered("lstm-edge-sha256:", "lstm-edge-sha257:"), bytes.subarray(0, at - 50)]) {
    await assert.rejects(SentimentModel.load(bad), (error) => error instanceof ModelFileError && /checksum/.test(error.message));
  }
  assert.equal(await answers(sealedAnew(bytes)), await answers(bytes));
});

test("cut, foreign, missing, empty and newer files are ModelFileErrors", async () => {
  const changed = Buffer.from(bytes), at = changed.lastIndexOf("format_version");
  changed[changed.indexOf("1", at + 14)] = "7".charCodeAt(0);
  const newer = sealedAnew(changed);
  const cuts = [1, 10, 1000, 1_000_000, bytes.length - 1].map((size) => bytes.subarray(0, size));
  const texts = ["<html>", "\x08\x0a", "\x3a\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", "\x07"];
  const foreign = texts.map((text) => Buffer.from(text, "latin1"));
  for (const bad of [...cuts, ...foreign, new Uint8Array(), newer, "/no/such/file.onnx", "file:///no/such", "file://[", "http://127.0.0.1:1/x"]) {
    await assert.rejects(SentimentModel.load(bad), (error) => error instanceof ModelFileError && !error.message.includes("\n"));
  }
  await assert.rejects(SentimentModel.load(newer), /format 7; .*reads format 1/);
  for (const wrong of [5, null, {}, [1], new Float32Array(1)]) await assert.rejects(SentimentModel.load(wrong), InputError);
});

test("options that are none are an InputError", async () => {
  for (const wrong of [null, 5, "x", { ort: {} }, { ort: 5 }, { ort: { ...ort, env: {} } }, { ort: { ...ort, Tensor: 5 } }, { sessionOptions: 5 }]) {
    await assert.rejects(SentimentModel.load(bytes, wrong), (error) => error instanceof InputError && !error.message.includes("\n"), JSON.stringify(wrong));
  }
});

test("a page in the place of a model is not taken for one", async () => {
  const server = createServer((request, response) => response.setHeader("content-type", "text/html").end("<html>"));
  await new Promise((ready) => server.listen(0, "127.0.0.1", ready));
  await assert.rejects(SentimentModel.load(`http://127.0.0.1:${server.address().port}/default.onnx`), /no such file/);
  server.close();
});

test("an onnxruntime that mislabels outputs is refused", async () => {
  const old = { ...ort, env: { versions: { node: "1.23.2" } } };
  await assert.rejects(SentimentModel.load(bytes, { ort: old }), MissingRuntimeError);
});

test("without an onnxruntime the error says what to install", () => {
  const folder = mkdtempSync(join(tmpdir(), "lstm-edge-"));
  const hook = join(folder, "hook.mjs"), hooks = join(folder, "hooks.mjs");
  writeFileSync(hooks, `export async function resolve(name, context, next) {
    if (name === "#ort") throw new Error("Cannot find package 'onnxruntime-node'");
    return next(name, context);
  }`);
  writeFileSync(hook, `import { register } from "node:module"; register(${JSON.stringify(`file://${hooks}`)});`);
  const code = 'import("lstm-edge").then(({ SentimentModel }) => SentimentModel.load()).catch((e) => console.log(String(e)))';
  const found = spawnSync(process.execPath, ["--import", hook, "-e", code], { encoding: "utf8", cwd: new URL("..", import.meta.url) });
  assert.match(found.stdout, /^MissingRuntimeError: .*npm install onnxruntime-node/);
});

test("nothing is written at home: the telemetry is off before onnxruntime loads", () => {
  const home = mkdtempSync(join(tmpdir(), "lstm-edge-home-"));
  const { ORT_DISABLE_TELEMETRY: _, ...environment } = process.env;
  const code = 'import("lstm-edge").then(({ SentimentModel }) => SentimentModel.load()).then((m) => m.score("good")).then((s) => console.log(s.label))';
  const found = spawnSync(process.execPath, ["-e", code], { encoding: "utf8", env: { ...environment, HOME: home }, cwd: new URL("..", import.meta.url) });
  assert.equal(found.stdout, "positive\n", found.stderr);
  assert.deepEqual(readdirSync(home), []);
});
