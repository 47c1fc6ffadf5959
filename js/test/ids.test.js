// Other forms of file than the bundled one, above all that which takes ids, its vocabulary in the
// metadata: what React Native and the webgpu builds need, whose string tensors are broken. Python writes
// them and says where, with its answers.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { InputError, SentimentModel } from "lstm-edge";
import { shown } from "./golden.js";

const FOLDER = process.env.LSTM_EDGE_IDS;
const skip = FOLDER ? false : "LSTM_EDGE_IDS names no folder with an ids file (tests/js/test_javascript.py makes one)";
let model, answers;

before(async () => {
  if (!FOLDER) return;
  answers = JSON.parse(readFileSync(`${FOLDER}/answers.json`, "utf8"));
  model = await SentimentModel.load(`${FOLDER}/model.onnx`);
});
after(() => model?.close());

test("texts are tokenised in JavaScript and get Python's answers", { skip }, async () => {
  for (const { text, ids, probability, known } of answers) {
    const { scores, ...answer } = await model.score(text);
    assert.equal(answer.known, known, shown(text));
    assert.ok(Math.abs(scores.positive - probability) <= 1e-6, shown(text));
    const given = await model.scoreIds(ids);
    assert.deepEqual([given.scores.positive, given.known], [scores.positive, null]);
  }
  await model.verify();
});

test("streams and traces work as in files that take text", { skip }, async () => {
  for (const { text } of answers.slice(0, 5)) {
    const stream = model.stream(), half = text.length >> 1;
    await stream.push(text.slice(0, half));
    await stream.push(text.slice(half));
    const whole = await model.trace(text);
    assert.ok(Math.abs((await stream.finish()).scores.positive - whole.sentiment.scores.positive) < 1e-6);
    for (const { token, start, end } of whole.tokens) assert.equal(text.slice(start, end).toLowerCase(), token);
    await model.gates(text, whole.tokens.at(-1));
  }
});

test("words that are dropped count as words, and a state belongs to its file", { skip }, async () => {
  const dropping = await SentimentModel.load(`${FOLDER}/dropping.onnx`);
  for (const { text, dropped } of answers) assert.equal((await dropping.score(text)).known, dropped, shown(text));
  const stream = dropping.stream();
  await stream.push("A dull, lifeless mess. ");
  assert.match(stream.state.model, /^[0-9a-f]{64}$/);
  assert.throws(() => model.stream(stream.state), /another model's/);
  await dropping.close();
});

test("files whose states must be fed, and files without any", { skip }, async () => {
  const required = await SentimentModel.load(`${FOLDER}/required.onnx`), none = await SentimentModel.load(`${FOLDER}/none.onnx`);
  for (const { text, probability } of answers) {
    for (const other of [required, none]) {
      assert.ok(Math.abs((await other.score(text)).scores.positive - probability) <= 1e-6, shown(text));
    }
  }
  const stream = required.stream();
  await stream.push("A dull, lifel");
  await stream.push("ess mess.");
  const whole = await required.score("A dull, lifeless mess.");
  assert.ok(Math.abs((await stream.finish()).score - whole.score) < 1e-6);
  assert.throws(() => none.stream(), InputError);
  await Promise.all([required.close(), none.close()]);
});

test("ids that no word has are an InputError", { skip }, async () => {
  const { vocab_size } = model.metadata.architecture;
  for (const wrong of [[], [-1], [vocab_size], [1.5], ["1"], 1, null]) await assert.rejects(model.scoreIds(wrong), InputError);
});
