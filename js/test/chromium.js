// A real browser and the page in it, as the tests need them.
import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";

const EXECUTABLE = process.env.CHROMIUM ?? "/usr/bin/chromium";

/** Why there is no browser; false where there is one. */
export const noBrowser = existsSync(EXECUTABLE) ? false : `no browser at ${EXECUTABLE} (CHROMIUM names another)`;

/** Without what a browser asks of its maker's servers. */
const QUIET = [
  "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
  "--disable-component-update", "--disable-sync",
];

export const launch = () => chromium.launch({ executablePath: EXECUTABLE, args: QUIET });

/** Puts the page together; returns its folder. */
export function buildPage() {
  const folder = mkdtempSync(join(tmpdir(), "lstm-edge-page-"));
  execFileSync(process.execPath, [fileURLToPath(new URL("../scripts/build-page.js", import.meta.url)), folder]);
  return folder;
}

/** The address of a server of demo/serve.js. */
export const address = (server, path = "/") => `http://127.0.0.1:${server.address().port}${path}`;
