import assert from "node:assert/strict";
import { after, test } from "node:test";
import { InputError, SentimentModel } from "lstm-edge";
import { bytes, golden } from "./golden.js";

const model = await SentimentModel.load();
after(() => model.close());

const TEXT = "A dull, lifeless mess 😀. I saw it on a Tuesday with my aunt and her dog!";

test("a stream cut anywhere ends where the whole text ends", async () => {
  const whole = (await model.score(TEXT)).scores.positive;
  for (const size of [1, 2, 3, 7, 100]) {
    const stream = model.stream();
    for (let at = 0; at < TEXT.length; at += size) await stream.push(TEXT.slice(at, at + size));
    const { scores } = await stream.finish();
    assert.ok(Math.abs(scores.positive - whole) < golden.tolerance.stream, `pieces of ${size}`);
  }
});

test("a word without an end is refused, and changes nothing", async () => {
  const stream = model.stream();
  await stream.push("good " + "x".repeat(9_999));
  const before = stream.state;
  await assert.rejects(stream.push("yz"), { name: "InputError", message: /10001 characters could all be one word/ });
  assert.equal(stream.state, before);
  await stream.push("y plot");
  assert.equal(stream.state.pending, "plot");
});

test("the state matters: a stream is not the answer to its last piece", async () => {
  const stream = model.stream();
  await stream.push("A dull, lifeless, boring, terrible mess. ");
  const { scores } = await stream.push("It is a film. ");
  assert.ok(Math.abs(scores.positive - (await model.score("It is a film. ")).scores.positive) > 0.2);
});

test("a state survives structuredClone and goes on in another stream", async () => {
  const first = model.stream();
  await first.push("I loved the first ha");
  const second = model.stream(structuredClone(first.state));
  const rest = "lf. Then came the rest. ";
  assert.deepEqual(await second.push(rest), await first.push(rest));
  assert.deepEqual(second.state, first.state);
});

test("a state carries the checksum of its file, and is not taken for another's", async () => {
  const { state } = model.stream();
  assert.ok(bytes.includes(`lstm-edge-sha256:${state.model}`));
  assert.throws(() => model.stream({ ...state, model: "0".repeat(64) }), /another model's/);
  for (const of of ["", undefined]) await model.stream({ ...state, model: of }).push("good "); // an app's own
});

test("a state that was taken out does not change", async () => {
  const stream = model.stream();
  await stream.push("good film ");
  const taken = stream.state, before = structuredClone(taken);
  await stream.push("but awful in the end ");
  assert.deepEqual(taken, before);
});

test("pieces pushed without waiting are read in their order", async () => {
  const hurried = model.stream(), patient = model.stream();
  const pieces = ["Wonder", "ful act", "ing, but aw", "ful music. "];
  const together = await Promise.all(pieces.map((piece) => hurried.push(piece)));
  const apart = [];
  for (const piece of pieces) apart.push(await patient.push(piece));
  assert.deepEqual(together, apart);
});

test("a bad piece leaves the stream as it was", async () => {
  const stream = model.stream();
  await stream.push("good film ");
  const before = stream.state;
  await assert.rejects(stream.push(5), InputError);
  assert.equal(stream.state, before);
  await stream.finish();
});

test("another model's state, or a damaged one, is an InputError", () => {
  const { h, c } = model.stream().state;
  for (const wrong of [{ h: h.slice(1), c }, { h: [...h], c }, { h, c: c.map(() => NaN) }, {}]) {
    assert.throws(() => model.stream({ pending: "", probability: null, ...wrong }), InputError);
  }
  for (const wrong of [{ pending: 5 }, { pending: null }, { probability: 0.5 }, { probability: [] }, { probability: ["x"] }, { probability: [NaN] }]) {
    assert.throws(() => model.stream({ ...model.stream().state, ...wrong }), InputError);
  }
});
