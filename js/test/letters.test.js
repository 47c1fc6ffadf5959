// Words of every alphabet, in capitals too: every engine lowers A to Z alone, as Python does, which writes
// the files and says where, with its answers and the places of the tokens.
import assert from "node:assert/strict";
import { readFileSync, rmSync } from "node:fs";
import { test } from "node:test";
import * as ort from "onnxruntime-node";
import { SentimentModel } from "lstm-edge";
import { serve } from "../demo/serve.js";
import { address, buildPage, launch, noBrowser } from "./chromium.js";

const FOLDER = process.env.LSTM_EDGE_LETTERS;
const skip = FOLDER ? false : "LSTM_EDGE_LETTERS names no folder with answers (tests/js/test_javascript.py makes one)";
const wanted = FOLDER && JSON.parse(readFileSync(`${FOLDER}/answers.json`, "utf8"));

/** The page asks for the files of the folder by these paths. */
const read = (path) => (/^\/\w+\.onnx$|^\/answers\.json$/.test(path) ? readFileSync(`${FOLDER}${path}`) : undefined);

/** Here and in the page. */
async function answerAll(SentimentModel, ort, source, texts) {
  const model = await SentimentModel.load(source, { ort });
  const found = [];
  for (const text of texts) {
    const { sentiment, tokens } = await model.trace(text);
    const { scores } = await model.score(text);
    const places = tokens.map(({ token, start, end }) => [token, start, end]);
    found.push({ text, scores: [sentiment.scores.positive, scores.positive], places });
  }
  await model.close();
  return found;
}

function compare(found, name) {
  for (const [n, { text, score, places }] of wanted[name].entries()) {
    assert.deepEqual(found[n].places, places, `${name}: ${text}`);
    for (const other of found[n].scores) assert.ok(Math.abs(other - score) <= 1e-6, `${name}: ${text}: ${other}, not ${score}`);
  }
}

const textsOf = (name) => wanted[name].map(({ text }) => text);

test("Node has Python's tokens, places and answers", { skip }, async () => {
  for (const name of Object.keys(wanted)) compare(await answerAll(SentimentModel, ort, `${FOLDER}/${name}.onnx`, textsOf(name)), name);
});

test("so has Chromium", { skip: skip || noBrowser }, async () => {
  const folder = buildPage(), server = await serve(folder, 0, { instead: read }), browser = await launch();
  try {
    const page = await browser.newPage();
    await page.goto(address(server, "/answers.json"));
    const inPage = `async ([source, texts]) => {
      const ort = await import("/ort/ort.wasm.bundle.min.mjs");
      const { SentimentModel } = await import("/lstm-edge/index.js");
      return (${answerAll})(SentimentModel, ort, source, texts);
    }`;
    for (const name of Object.keys(wanted)) {
      compare(await page.evaluate(`(${inPage})(${JSON.stringify([`/${name}.onnx`, textsOf(name)])})`), name);
    }
  } finally {
    await browser.close();
    server.close();
    rmSync(folder, { recursive: true });
  }
});
