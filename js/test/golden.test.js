// Python's answers, given again by onnxruntime-node.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { after, test } from "node:test";
import { SentimentModel } from "lstm-edge";
import { bytes, golden, shown } from "./golden.js";

const model = await SentimentModel.load();
after(() => model.close());

/** @param {number} found @param {number} expected @param {number} tolerance @param {string} what */
function close(found, expected, tolerance, what) {
  assert.ok(Math.abs(found - expected) <= tolerance, `${what}: ${found} where Python has ${expected}`);
}

test("the golden answers are those of the bundled model", () => {
  const digest = createHash("sha256").update(bytes).digest("hex");
  assert.equal(digest, golden.model_sha256, "run python tests/golden/make_answers.py");
});

test("every text gets Python's answer", async () => {
  for (const { text, probability, known } of golden.texts) {
    const { scores, ...answer } = await model.score(text);
    assert.equal(answer.known, known, shown(text));
    close(scores.positive, probability, golden.tolerance.node, shown(text));
  }
});

test("every stream has Python's answer after each piece", async () => {
  for (const { pieces, probability } of golden.streams) {
    const stream = model.stream();
    for (const [n, piece] of pieces.entries()) {
      close((await stream.push(piece)).scores.positive, probability[n], golden.tolerance.node, `piece ${n} of ${shown(pieces.join("|"))}`);
    }
    close((await stream.finish()).scores.positive, probability.at(-1), golden.tolerance.node, shown(pieces.join("|")));
  }
});

test("a trace has Python's tokens, answers and gates", async () => {
  for (const { text, tokens, probability, gates } of golden.traces) {
    const trace = await model.trace(text);
    assert.deepEqual(trace.tokens.map(({ token }) => token), tokens);
    for (const [n, token] of trace.tokens.entries()) {
      close(token.probability[0], probability[n], golden.tolerance.node, `${tokens[n]} in ${shown(text)}`);
      const found = await model.gates(text, token);
      for (const [name, layers] of Object.entries(gates)) {
        for (const [layer, steps] of layers.entries()) {
          close(found[name][layer], steps[n], golden.tolerance.gates, `${name} of layer ${layer} at ${tokens[n]}`);
        }
      }
    }
  }
});
