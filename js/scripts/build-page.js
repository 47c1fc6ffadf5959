// Puts the page of demo/ together in a folder that any file server serves, below any path:
// node scripts/build-page.js FOLDER
import { cp, mkdir } from "node:fs/promises";
import { resolve } from "node:path";

const here = new URL("../", import.meta.url);
const folder = resolve(process.argv[2] ?? "page");

const PARTS = [
  ["demo/index.html", "index.html"],
  ["demo/style.css", "style.css"],
  ["demo/page.js", "page.js"],
  ["demo/marks.js", "marks.js"],
  ["demo/worker.js", "worker.js"],
  ["src", "lstm-edge"],
  ["node_modules/onnxruntime-web/dist/ort.wasm.bundle.min.mjs", "ort/ort.wasm.bundle.min.mjs"],
  ["node_modules/onnxruntime-web/dist/ort-wasm-simd-threaded.wasm", "ort/ort-wasm-simd-threaded.wasm"],
  ["../runtime/lstm_runtime/models/default.int8.onnx", "models/default.int8.onnx"],
];

await mkdir(folder, { recursive: true });
for (const [from, to] of PARTS) await cp(new URL(from, here), resolve(folder, to), { recursive: true });
console.log(folder);
