// Serves a folder to this machine: node demo/serve.js FOLDER, at port 8000 or PORT.
import { createServer } from "node:http";
import { readFile } from "node:fs/promises";
import { join, normalize, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const TYPES = {
  css: "text/css", html: "text/html", js: "text/javascript", mjs: "text/javascript",
  onnx: "application/octet-stream", wasm: "application/wasm",
};

/** What the page's own tag says for documents, for its worker too. */
const POLICY = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; connect-src 'self'; " +
  "img-src 'self' data:; worker-src 'self'; base-uri 'none'; form-action 'none'";

/**
 * @param {string} folder
 * @param {number} port 0 for any that is free.
 * @param {object} [options]
 * @param {(path: string) => Uint8Array | null | undefined} [options.instead] Another body for a path; null: there is none.
 * @param {string} [options.policy] The content security policy.
 * @returns {Promise<import("node:http").Server>}
 */
export function serve(folder, port, { instead = () => undefined, policy = POLICY } = {}) {
  const server = createServer(async (request, response) => {
    const { pathname } = new URL(request.url ?? "/", "http://localhost");
    const path = pathname.endsWith("/") ? `${pathname}index.html` : pathname;
    const given = instead(path);
    const body = given === undefined ? await read(folder, path) : given;
    const type = TYPES[/** @type {keyof TYPES} */ (path.split(".").at(-1))] ?? "text/plain";
    response.writeHead(body ? 200 : 404, { "content-type": type, "content-security-policy": policy });
    response.end(body ?? "no such file");
  });
  return new Promise((ready, failed) => server.once("error", failed).listen(port, "127.0.0.1", () => ready(server)));
}

/** @param {string} folder @param {string} path */
async function read(folder, path) {
  const file = join(folder, normalize(decodeURIComponent(path)));
  return file.startsWith(resolve(folder)) ? readFile(file).catch(() => null) : null;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const port = Number(process.env.PORT ?? 8000);
  await serve(resolve(process.argv[2] ?? "."), port);
  console.log(`http://127.0.0.1:${port}/  (Ctrl-C ends it)`);
}
