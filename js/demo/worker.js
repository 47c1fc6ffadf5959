// The model, away from the page, which stays free to be typed in. Import maps do not reach workers:
// onnxruntime is handed in.
import * as ort from "./ort/ort.wasm.bundle.min.mjs";
import { SentimentModel } from "./lstm-edge/index.js";

/** @type {{text?: string, gates?: {text: string, token: {token: string, start: number}}}} */
const wanted = {}; // only the newest of each kind counts
let busy = false;

const loading = load();
loading.catch(({ message }) => postMessage({ trouble: message }));

async function load() {
  const started = performance.now();
  const model = await SentimentModel.load(undefined, { ort });
  const verified = await model.verify();
  const milliseconds = performance.now() - started;
  const { labels, reference, architecture } = model.metadata;
  const here = await model.score(reference.map(({ text }) => text));
  const references = reference.map(({ text, probability }, n) => ({ text, original: probability[0], here: here[n].scores[labels[1]] }));
  postMessage({ ready: { ...verified, milliseconds, labels, references, layers: architecture.n_layers } });
  return model;
}

self.onmessage = async ({ data }) => {
  Object.assign(wanted, data);
  if (busy) return;
  busy = true;
  try {
    const model = await loading;
    while (wanted.text !== undefined || wanted.gates) await (wanted.text !== undefined ? answer(model) : gates(model));
  } catch ({ message }) {
    postMessage({ trouble: message });
  }
  busy = false;
};

async function answer(model) {
  const { text } = wanted;
  delete wanted.text;
  const started = performance.now();
  const { sentiment, tokens } = await model.trace(text);
  // Flat arrays cross to the page at no cost, where 20,000 objects would hold it up.
  const starts = Uint32Array.from(tokens, ({ start }) => start), ends = Uint32Array.from(tokens, ({ end }) => end);
  const probabilities = Float32Array.from(tokens, ({ probability }) => probability[0]);
  const message = { answer: { text, sentiment, starts, ends, probabilities, milliseconds: performance.now() - started } };
  postMessage(message, [starts.buffer, ends.buffer, probabilities.buffer]);
}

async function gates(model) {
  const { text, token } = wanted.gates;
  delete wanted.gates;
  postMessage({ gates: { text, token, gates: await model.gates(text, token) } });
}
