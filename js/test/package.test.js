// What `npm pack` makes, used by somebody else: in Node, by TypeScript, in a browser without a bundler
// and in one built by Vite.
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { after, before, test } from "node:test";
import { serve } from "../demo/serve.js";
import { address, launch, noBrowser } from "./chromium.js";

const PACKAGE = fileURLToPath(new URL("..", import.meta.url));
const REVIEW = "One of the finest films I have ever seen.";
let app;

before(() => {
  app = mkdtempSync(join(tmpdir(), "lstm-edge-app-"));
  const modules = join(app, "node_modules");
  mkdirSync(modules);
  execFileSync("npm", ["pack", "--silent", "--pack-destination", app], { cwd: PACKAGE });
  const [tarball] = readdirSync(app).filter((name) => name.endsWith(".tgz"));
  execFileSync("tar", ["xzf", tarball], { cwd: app });
  cpSync(join(app, "package"), join(modules, "lstm-edge"), { recursive: true });
  for (const name of ["onnxruntime-node", "onnxruntime-web", "onnxruntime-common"]) {
    symlinkSync(join(PACKAGE, "node_modules", name), join(modules, name));
  }
});
after(() => rmSync(app, { recursive: true }));

/** Run a file of the app's with Node; what it prints. */
function node(name, code) {
  writeFileSync(join(app, name), code);
  return execFileSync(process.execPath, [name], { cwd: app, encoding: "utf8" });
}

const ANSWER = `SentimentModel.load().then(async (model) => {
  await model.verify();
  console.log((await model.score("${REVIEW}")).label);
});`;

test("it holds the code, the types, the model and the licence, and nothing else", () => {
  const files = readdirSync(join(app, "package"), { recursive: true }).filter((name) => /\.\w+$|^LICENSE$/.test(name));
  assert.ok(files.includes("LICENSE") && files.includes("models/default.int8.onnx") && files.includes("types/index.d.ts") && files.includes("README.md"));
  assert.deepEqual(files.filter((name) => !/^(src|types|models)\/|^(package\.json|README\.md|LICENSE)$/.test(name)), []);
});

test("import and require answer in Node", () => {
  assert.equal(node("app.mjs", `import { SentimentModel } from "lstm-edge"; ${ANSWER}`), "positive\n");
  // Node 20 and 22 warn on stderr that require of a module is experimental.
  assert.equal(node("app.cjs", `const { SentimentModel } = require("lstm-edge"); ${ANSWER}`), "positive\n");
});

test("all that the types import is declared", () => {
  const { dependencies, peerDependencies } = JSON.parse(readFileSync(join(app, "package", "package.json"), "utf8"));
  const types = join(app, "package", "types");
  const imported = readdirSync(types).flatMap((name) => [...readFileSync(join(types, name), "utf8").matchAll(/(?:from |import\()"([^.#"][^"]*)"/g)]);
  assert.deepEqual([...new Set(imported.map(([, name]) => name))], Object.keys(dependencies));
  for (const range of Object.values(peerDependencies)) assert.equal(range, dependencies["onnxruntime-common"]);
});

test("its types hold in a strict project", () => {
  writeFileSync(join(app, "app.mts"), `
    import { SentimentModel, type Sentiment, type StreamState, type Trace } from "lstm-edge";
    const model = await SentimentModel.load(new URL("file:///x"), { sessionOptions: { intraOpNumThreads: 2 } });
    const one: Sentiment = await model.score("good"), many: Sentiment[] = await model.score(["good"]);
    const trace: Trace = await model.trace("good"), state: StreamState = model.stream().state;
    // @ts-expect-error a text is a string
    await model.score(5);
    export { one, many, trace, state };
  `);
  const typescript = join(PACKAGE, "node_modules", "typescript", "bin", "tsc");
  const options = ["--noEmit", "--strict", "--module", "nodenext", "--target", "es2022", "--types", "", "--skipLibCheck", "false"];
  const found = spawnSync(process.execPath, [typescript, ...options, "app.mts"], { cwd: app, encoding: "utf8" });
  assert.equal(found.stdout + found.stderr, "");
});

/** Serve a folder, open a page of it in Chromium, and return the text that its title gets. */
async function titleOf(folder, path, policy) {
  const server = await serve(folder, 0, { policy });
  const browser = await launch();
  try {
    const page = await browser.newPage();
    const complaints = [];
    page.on("pageerror", (error) => complaints.push(String(error)));
    await page.goto(address(server, path));
    await page.waitForFunction(() => document.title !== "", null, { timeout: 60_000 }).catch(() => {});
    assert.deepEqual(complaints, []);
    return await page.title();
  } finally {
    await browser.close();
    server.close();
  }
}

const ANYTHING = "default-src * data: blob: 'unsafe-inline' 'wasm-unsafe-eval'";

test("an import map is enough in a browser", { skip: noBrowser }, async () => {
  const imports = {
    "lstm-edge": "/node_modules/lstm-edge/src/index.js",
    "#ort": "/node_modules/onnxruntime-web/dist/ort.wasm.bundle.min.mjs",
  };
  writeFileSync(join(app, "index.html"), `<script type="importmap">${JSON.stringify({ imports })}</script><script type="module">
    import { SentimentModel } from "lstm-edge";
    const model = await SentimentModel.load();
    document.title = (await model.score("${REVIEW}")).label;
  </script>`);
  assert.equal(await titleOf(app, "/index.html", ANYTHING), "positive");
});

test("Vite builds it, for a page and for a worker", { skip: noBrowser }, async () => {
  const project = join(app, "vite");
  mkdirSync(project);
  writeFileSync(join(project, "index.html"), '<script type="module" src="page.js"></script>');
  writeFileSync(join(project, "page.js"), `
    import { SentimentModel } from "lstm-edge";
    const worker = new Worker(new URL("worker.js", import.meta.url), { type: "module" });
    worker.onmessage = async ({ data }) => {
      const model = await SentimentModel.load();
      document.title = (await model.score("A dull, lifeless mess.")).label + " " + data;
    };
  `);
  writeFileSync(join(project, "worker.js"), `
    import { SentimentModel } from "lstm-edge";
    const model = await SentimentModel.load();
    postMessage((await model.score("${REVIEW}")).label);
  `);
  const { build } = await import("vite");
  await build({ root: project, configFile: false, logLevel: "error", worker: { format: "es" }, build: { target: "es2022" } });
  assert.equal(await titleOf(join(project, "dist"), "/", ANYTHING), "negative positive");
  const shipped = readdirSync(join(project, "dist", "assets"));
  assert.equal(shipped.filter((name) => name.endsWith(".wasm")).length, 1);
  assert.equal(shipped.filter((name) => name.endsWith(".onnx")).length, 1);
});
