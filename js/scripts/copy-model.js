// The bundled model is committed once, in the Python package; the npm package gets a copy.
import { cp, mkdir } from "node:fs/promises";

const models = new URL("../models/", import.meta.url);
const bundled = new URL("../../runtime/lstm_runtime/models/", import.meta.url);

await mkdir(models, { recursive: true });
await cp(new URL("default.int8.onnx", bundled), new URL("default.int8.onnx", models));
