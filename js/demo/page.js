// The page: text to the worker, colours and gates back.
import { Marks } from "./marks.js";

const EXAMPLES = [
  "One of the finest films I have ever seen.",
  "A dull, lifeless mess.",
  "Not bad at all. In fact I quite enjoyed it!",
  "The acting is great, but the story is boring and the ending terrible.",
  "I expected to hate it. I was wrong.",
];

/** Name, meaning, and the value that fills a bar: 1 when left out. */
const GATES = [
  ["learn", "what goes into the long-term memory"],
  ["forget", "how much of the long-term memory stays"],
  ["remember", "size of the long-term memory after it", 3],
  ["use", "size of the short-term memory after it"],
];

const find = (selector) => document.querySelector(selector);
const review = find("#review"), marks = new Marks(find(".marks"));
const worker = new Worker(new URL("worker.js", import.meta.url), { type: "module" });
let labels = ["negative", "positive"], answer, speaking, gatesOf = -1;

worker.onmessage = ({ data }) => {
  if (data.ready) showReady(data.ready);
  if (data.answer) showAnswer(data.answer);
  if (data.gates) showGates(data.gates);
  if (data.trouble) showTrouble(data.trouble);
};
worker.onerror = (event) => showTrouble(event.message ?? "this browser cannot run the page's worker");

review.addEventListener("input", () => {
  marks.outdate(review.value);
  worker.postMessage({ text: review.value });
});
review.addEventListener("scroll", () => marks.scrollTo(review.scrollTop));
document.addEventListener("selectionchange", choose);
new ResizeObserver(() => marks.scrollTo(review.scrollTop)).observe(review);

for (const text of EXAMPLES) {
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = text;
  button.disabled = true;
  button.onclick = () => {
    review.value = text;
    review.dispatchEvent(new Event("input"));
  };
  find(".examples").append(button);
}

for (const [name, meaning, full = 1] of GATES) {
  const row = find("#gates tbody").insertRow();
  Object.assign(row.dataset, { gate: name, full });
  const head = document.createElement("th");
  head.scope = "row";
  head.append(name, Object.assign(document.createElement("small"), { textContent: meaning }));
  row.append(head);
}

function showReady({ count, maxDifference, tolerance, milliseconds, references, layers, ...found }) {
  labels = found.labels;
  for (const element of document.querySelectorAll("textarea, button")) element.disabled = false;
  review.placeholder = "Write a film review, or take an example.";
  find("#facts").textContent =
    `Loaded and verified in ${(milliseconds / 1000).toFixed(1)} s: ${count} reference answers of the PyTorch model, ` +
    `largest difference ${maxDifference.toFixed(4)} where ${tolerance} is allowed.`;
  for (const { text, original, here } of references) {
    const row = find("#references tbody").insertRow();
    row.insertCell().textContent = text.length > 120 ? `${text.slice(0, 120)}…` : text || "(nothing)";
    row.insertCell().textContent = original.toFixed(4);
    row.insertCell().textContent = here.toFixed(4);
  }
  find("details").hidden = false;
  for (let n = 1; n <= layers; n++) {
    const head = Object.assign(document.createElement("th"), { scope: "col", textContent: `Layer ${n}` });
    find("#gates thead tr").append(head);
    for (const row of find("#gates tbody").rows) row.insertCell();
  }
  worker.postMessage({ text: review.value });
}

function showAnswer(found) {
  if (found.text !== review.value) return; // a newer one is under way
  answer = found;
  gatesOf = -1;
  const { sentiment, starts, ends, probabilities } = found;
  const positive = sentiment.scores[labels[1]], percent = `${(100 * sentiment.score).toFixed(1)} %`;
  marks.paint(found.text, starts, ends, probabilities);
  marks.scrollTo(review.scrollTop);
  find("#label").textContent = found.text.trim() ? sentiment.label : "…";
  find("#percent").textContent = found.text.trim() ? percent : "";
  find(".scale").setAttribute("aria-valuenow", (100 * positive).toFixed(1));
  find(".scale").setAttribute("aria-valuetext", `${sentiment.label}, ${percent}`);
  find(".marker").style.left = `${100 * positive}%`;
  document.body.dataset.milliseconds = found.milliseconds.toFixed(1);
  // A screen reader would stumble over an answer for every letter.
  clearTimeout(speaking);
  speaking = setTimeout(() => (find("#spoken").textContent = found.text.trim() ? `${sentiment.label}, ${percent}` : ""), 700);
  choose();
}

/** Choose the word at the cursor, or the last one before it. */
function choose() {
  if (!answer || answer.text !== review.value) return;
  const { starts, ends, probabilities, text } = answer;
  let n = starts.length - 1;
  if (document.activeElement === review) while (n > 0 && starts[n] > review.selectionStart) n--;
  if (n === gatesOf) return;
  gatesOf = n;
  if (n >= 0) marks.choose(starts[n], ends[n]);
  const word = n < 0 ? "…" : text.slice(starts[n], ends[n]);
  find("#chosen").textContent = word;
  find("#after").textContent = n < 0 ? "" : `After this one the probability of ${labels[1]} is ${probabilities[n].toFixed(3)}.`;
  if (n >= 0) worker.postMessage({ gates: { text, token: { token: word.toLowerCase(), start: starts[n] } } });
  else showGates({ gates: {} });
}

function showGates({ gates }) {
  for (const row of find("#gates tbody").rows) {
    for (const [n, cell] of [...row.cells].slice(1).entries()) {
      const value = gates[row.dataset.gate]?.[n];
      const bar = document.createElement("div"), filled = document.createElement("div");
      bar.className = "bar";
      filled.style.width = `${Math.min(100, (100 * (value ?? 0)) / Number(row.dataset.full))}%`;
      bar.append(filled);
      cell.replaceChildren(value?.toFixed(2) ?? "–", bar);
    }
  }
}

function showTrouble(message) {
  const trouble = find("#trouble");
  trouble.textContent = `The model cannot answer: ${message}`;
  trouble.hidden = false;
  find("#facts").textContent = "";
  review.placeholder = "The model is missing.";
}
