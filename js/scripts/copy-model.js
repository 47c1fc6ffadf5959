// The bundled model and the licence are committed once, outside this folder; the npm package gets copies.
import { cp, mkdir } from "node:fs/promises";

const here = new URL("../", import.meta.url);
const bundled = new URL("../runtime/lstm_runtime/models/", here);

await mkdir(new URL("models/", here), { recursive: true });
await cp(new URL("default.int8.onnx", bundled), new URL("models/default.int8.onnx", here));
await cp(new URL("../LICENSE", here), new URL("LICENSE", here));
