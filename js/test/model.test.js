import assert from "node:assert/strict";
import { after, test } from "node:test";
import { AnswerError, ClosedError, InputError, LstmEdgeError, SentimentModel, VerificationError } from "lstm-edge";
import * as ort from "onnxruntime-node";
import { sentiment } from "../src/results.js";
import { bytes } from "./golden.js";

const model = await SentimentModel.load(bytes);
after(() => model.close());

test("the file's own reference answers hold", async () => {
  const { count, maxDifference, tolerance } = await model.verify();
  assert.equal(count, model.metadata.reference.length);
  assert.ok(count >= 12 && maxDifference <= tolerance);
});

test("a reference that does not hold is a VerificationError", async () => {
  const other = await SentimentModel.load(bytes);
  other.metadata.reference[0].probability[0] -= 0.5;
  await assert.rejects(other.verify(), VerificationError);
  other.metadata.reference[0].probability[0] = NaN;
  await assert.rejects(other.verify(), VerificationError);
  await other.close();
});

test("a file that proves nothing is not verified", async () => {
  const other = await SentimentModel.load(bytes);
  other.metadata.tolerance = 0.5;
  await assert.rejects(other.verify(), /proves nothing/);
  other.metadata.reference.length = 0;
  await assert.rejects(other.verify(), /no reference answers/);
  await other.close();
});

test("what is no answer, and a run that fails, is an AnswerError", async () => {
  const spec = { labels: ["bad", "good"], threshold: 0.5 };
  for (const wrong of [[NaN], [-1], [2], [Infinity], [0.5, NaN], []]) assert.throws(() => sentiment("x", wrong, spec), AnswerError);
  assert.equal(sentiment("x", [1.0004], spec).label, "good");
  const failing = { ...ort, InferenceSession: { create: async (...given) => {
    const session = await ort.InferenceSession.create(...given);
    session.run = async () => { throw new Error("bad allocation\nat some line"); };
    return session;
  } } };
  const other = await SentimentModel.load(bytes, { ort: failing });
  await assert.rejects(other.score("good"), /^AnswerError: onnxruntime cannot answer: bad allocation$/);
  await other.close();
});

test("one text or a list, the very same answers", async () => {
  const one = await model.score("One of the finest films I have ever seen.");
  assert.equal(one.label, "positive");
  assert.deepEqual(await model.score([one.text, "", one.text]), [one, await model.score(""), one]);
  assert.deepEqual(await model.score([]), []);
});

test("many calls at once keep their answers", async () => {
  const texts = Array.from({ length: 20 }, (_, n) => "good ".repeat(n + 1));
  assert.deepEqual(await Promise.all(texts.map((text) => model.score(text))), await model.score(texts));
});

test("a trace says where each token stands, and ends at the answer", async () => {
  const text = "\u0130t's GREAT 😀 — isn't it?";
  const { tokens, sentiment } = await model.trace(text);
  assert.deepEqual(tokens.map(({ start, end }) => text.slice(start, end).toLowerCase()), tokens.map(({ token }) => token));
  assert.deepEqual(tokens.map(({ token }) => token), ["t's", "great", "isn't", "it", "?"]);
  assert.ok(Math.abs(tokens.at(-1).probability[0] - sentiment.scores.positive) < 1e-6);
  assert.deepEqual((await model.trace("…")).tokens, []);
});

test("how many of its words are known is told of each text, and of no ids", async () => {
  const texts = ["good film", "good qwzx", "12345 67890", "这部电影很好", "", "…"];
  assert.deepEqual((await model.score(texts)).map(({ known }) => known), [1, 0.5, 0, 0, 0, 0]);
  assert.equal((await model.trace("good qwzx")).sentiment.known, 0.5);
  assert.equal((await model.stream().push("good film ")).known, null);
});

test("what is not a text is an InputError", async () => {
  for (const wrong of [5, null, undefined, {}, [null], ["good", 5]]) await assert.rejects(model.score(wrong), InputError);
  await assert.rejects(model.trace(5), InputError);
  await assert.rejects(model.scoreIds([1]), InputError);
});

test("gates of what is no token of the text are an InputError", async () => {
  const text = "A good film", { tokens } = await model.trace(text);
  for (const wrong of [undefined, null, 5, {}, { token: "good" }, { token: 5, start: 0 }, { token: "good", start: -1 }, { token: "good", start: 1.5 }, { token: "good", start: 12 }]) {
    await assert.rejects(model.gates(text, wrong), InputError, JSON.stringify(wrong));
  }
  await assert.rejects(model.gates(undefined, tokens[0]), InputError);
  assert.equal((await model.gates(text, tokens[2])).learn.length, model.metadata.architecture.n_layers);
});

test("a closed model says so; what was under way ends", async () => {
  const other = await SentimentModel.load(bytes);
  const underWay = other.score("good");
  await new Promise((next) => setImmediate(next));
  await other.close();
  await other.close();
  assert.equal((await underWay).label, "positive");
  await assert.rejects(other.score("good"), ClosedError);
});

test("errors have their names and one family", async () => {
  const error = await model.score(5).catch((found) => found);
  assert.ok(error instanceof LstmEdgeError && error instanceof Error);
  assert.equal(String(error), "InputError: a text must be a string, not number");
});

test("one class has a threshold, several have a largest", () => {
  const two = { labels: ["bad", "good"], threshold: 0.7 };
  assert.deepEqual(sentiment("x", [0.7], two), { text: "x", label: "good", score: 0.7, scores: { bad: 1 - 0.7, good: 0.7 }, known: null });
  assert.equal(sentiment("x", [0.69], two).label, "bad");
  const three = { labels: ["bad", "so-so", "good"], threshold: 0.5 };
  assert.deepEqual(sentiment("x", [0.2, 0.5, 0.3], three), { text: "x", label: "so-so", score: 0.5, scores: { bad: 0.2, "so-so": 0.5, good: 0.3 }, known: null });
});
