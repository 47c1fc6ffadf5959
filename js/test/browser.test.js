// The page of demo/ and the package, in a real Chromium: no bundler, no server but a file server.
import assert from "node:assert/strict";
import { rmSync } from "node:fs";
import { after, before, describe, test } from "node:test";
import { SentimentModel } from "lstm-edge";
import { serve } from "../demo/serve.js";
import { address, buildPage, launch, noBrowser } from "./chromium.js";
import { bytes, golden } from "./golden.js";

const MODEL = "/models/default.int8.onnx";
const MIXED = "The acting is great, but the plot is a dull, lifeless mess.";

describe("the page", { skip: noBrowser }, () => {
  let folder, browser, server, page, model;
  const asked = [], complaints = [];
  /** What a test puts in the place of a file. */
  let replaced = {};

  before(async () => {
    model = await SentimentModel.load();
    folder = buildPage();
    const instead = (path) => {
      asked.push(path);
      return path === "/answers.json" ? Buffer.from(JSON.stringify(golden)) : replaced[path];
    };
    server = await serve(folder, 0, { instead });
    browser = await launch();
    page = await open();
  });
  after(async () => {
    await browser?.close();
    server?.close();
    await model?.close();
    rmSync(folder, { recursive: true });
  });

  async function open(options = {}, ready = "textarea:not([disabled])") {
    const context = await browser.newContext(options);
    const opened = await context.newPage();
    opened.on("console", (message) => complaints.push(message.text()));
    opened.on("pageerror", (error) => complaints.push(String(error)));
    await opened.goto(address(server));
    await opened.waitForSelector(ready, { timeout: 60_000 });
    return opened;
  }

  /** Wait until so many words have a colour. */
  const words = (count, where = page) =>
    where.waitForFunction(
      (n) => [...CSS.highlights].reduce((sum, [name, { size }]) => sum + (name === "chosen" ? 0 : size), 0) === n,
      count, { timeout: 120_000 },
    );

  /** The words of one colour, in their order; in the page. */
  const coloured = (name) =>
    page.evaluate((of) => [...CSS.highlights.get(of)].map(({ startContainer, startOffset, endOffset }) => startContainer.data.slice(startOffset, endOffset)), name);

  test("the model is verified before the first letter", async () => {
    assert.match(await page.textContent("#facts"), new RegExp(`${model.metadata.reference.length} reference answers`));
    assert.equal(await page.locator("#references tbody tr").count(), model.metadata.reference.length);
  });

  test("it answers while one types", async () => {
    await page.getByRole("textbox", { name: "Your review" }).pressSequentially("A dull, lifeless mess.");
    await words(4);
    assert.equal(await page.textContent("#label"), "negative");
    const meter = page.getByRole("meter", { name: "Probability of the positive label" });
    assert.ok(Number(await meter.getAttribute("aria-valuenow")) < 5);
    await page.waitForFunction(() => /^negative, 9\d\.\d %$/.test(document.querySelector("#spoken").textContent));
    assert.ok([...(await coloured("negative-9")), ...(await coloured("negative-10"))].includes("mess"));
  });

  test("colours stand behind the very words", async () => {
    await page.locator("textarea").fill(`${MIXED}\n\n${MIXED}  `);
    await words(24);
    const box = (selector) => page.locator(selector).evaluate((element) => [element.clientWidth, element.scrollHeight]);
    assert.deepEqual(await box(".marks"), await box("textarea"));
    assert.equal(await page.locator(".marks").evaluate((marks) => marks.textContent), `${MIXED}\n\n${MIXED}   `);
  });

  test("a newer text takes an older one's place, and markup in it is only text", async () => {
    await page.locator("textarea").fill("<b>Wonderful</b> <img src=x onerror=alert(1)> film!");
    await page.waitForFunction(() => document.querySelector(".marks").textContent.startsWith("<b>Wonderful"));
    assert.equal(await page.locator(".marks b, .marks img").count(), 0);
  });

  test("the gates are those of the word at the cursor", async () => {
    await page.locator("textarea").fill(MIXED);
    await words(12);
    for (const word of ["great", "lifeless"]) {
      const at = MIXED.indexOf(word) + 2;
      await page.locator("textarea").evaluate((area, place) => area.setSelectionRange(place, place), at);
      await page.waitForFunction((chosen) => document.querySelector("#chosen").textContent === chosen, word);
      const { learn } = await model.gates(MIXED, (await model.trace(MIXED)).tokens.find(({ token }) => token === word));
      const shown = learn.map((value) => value.toFixed(2)).join(" ");
      await page.waitForFunction(
        (expected) => [...document.querySelectorAll("[data-gate=learn] td")].map((cell) => cell.textContent).join(" ") === expected,
        shown,
      );
      assert.deepEqual(await coloured("chosen"), [word]);
    }
  });

  test("examples are buttons for mouse and keyboard", async () => {
    await page.locator("textarea").focus();
    await page.keyboard.press("Tab");
    await page.keyboard.press("Enter");
    await words(9);
    assert.equal(await page.inputValue("textarea"), "One of the finest films I have ever seen.");
    assert.equal(await page.textContent("#label"), "positive");
  });

  test("twenty thousand words take no element each, and a newer text takes their place", async () => {
    const long = "good film bad story ".repeat(5000);
    await page.locator("textarea").fill(long);
    await words(20_000);
    assert.ok((await page.evaluate(() => document.querySelectorAll("*").length)) < 300);
    await page.locator("textarea").fill(`${long} one more`);
    await page.locator("textarea").fill("Great.");
    await words(1);
    await page.locator("textarea").evaluate((area) => area.setSelectionRange(0, 0));
    await page.waitForFunction(() => document.querySelector("#chosen").textContent === "Great");
    assert.equal(await page.locator(".marks").evaluate((marks) => marks.textContent), "Great. ");
  });

  test("nothing typed leaves the page, which goes on without a network", async () => {
    const before = asked.length;
    await page.context().setOffline(true);
    await page.locator("textarea").fill("A wonderful, warm and funny film.");
    await words(6);
    assert.equal(await page.textContent("#label"), "positive");
    assert.equal(asked.length, before);
    assert.deepEqual(asked.filter((path) => !/\.(html|css|m?js|wasm|onnx)$/.test(path)), []);
    await page.context().setOffline(false);
  });

  test("the policy holds and nothing complains", () => assert.deepEqual(complaints, []));

  test("a missing and a damaged model are said, in an alert", async () => {
    const damaged = Uint8Array.from(bytes);
    damaged[1_000_000] ^= 1;
    for (const [body, message] of [[null, /no such file/], [damaged, /checksum/], [bytes.subarray(0, 5000), /cut off/]]) {
      replaced = { [MODEL]: body };
      const broken = await open({}, "#trouble:not([hidden])");
      assert.match(await broken.getByRole("alert").textContent(), message);
      assert.ok(await broken.locator("textarea").isDisabled());
      await broken.context().close();
    }
    replaced = {};
  });

  test("a phone's width is enough", async () => {
    const narrow = await open({ viewport: { width: 320, height: 640 } });
    assert.equal(await narrow.evaluate(() => document.documentElement.scrollWidth), 320);
    await narrow.context().close();
  });

  for (const colorScheme of ["light", "dark"]) {
    test(`text is readable on every colour, ${colorScheme}`, async () => {
      const themed = await open({ colorScheme });
      await themed.locator("textarea").fill(MIXED);
      await words(12, themed);
      for (const [name, ratio] of Object.entries(await themed.evaluate(contrasts))) assert.ok(ratio >= 4.5, `${name}: ${ratio}`);
      await themed.context().close();
    });
  }

  test("Python's answers, streams and states in WebAssembly", async () => {
    const { texts, streams, verified } = await page.evaluate(answerGolden);
    assert.ok(texts <= golden.tolerance.browser, `texts differ by ${texts}`);
    assert.ok(streams <= golden.tolerance.browser, `streams differ by ${streams}`);
    assert.ok(verified.maxDifference <= verified.tolerance);
  });
});

/** In the page: the largest differences from Python's answers. */
async function answerGolden() {
  const ort = await import("/ort/ort.wasm.bundle.min.mjs");
  const { SentimentModel } = await import("/lstm-edge/index.js");
  const golden = await (await fetch("/answers.json")).json();
  const model = await SentimentModel.load(undefined, { ort });
  const worst = { texts: 0, streams: 0, verified: await model.verify() };
  for (const { text, probability } of golden.texts) {
    const { scores } = await model.score(text);
    worst.texts = Math.max(worst.texts, Math.abs(scores.positive - probability));
  }
  for (const { pieces, probability } of golden.streams) {
    let stream = model.stream();
    for (const [n, piece] of pieces.entries()) {
      const { scores } = await stream.push(piece);
      worst.streams = Math.max(worst.streams, Math.abs(scores.positive - probability[n]));
      stream = model.stream(structuredClone(stream.state));
    }
    const { scores } = await stream.finish();
    worst.streams = Math.max(worst.streams, Math.abs(scores.positive - probability.at(-1)));
  }
  return worst;
}

/** In the page: contrast ratios (WCAG 2.2, 1.4.3) of text on what is really behind it. */
function contrasts() {
  const canvas = document.createElement("canvas").getContext("2d");
  /** Colours laid over each other, as red, green and blue. */
  const flat = (...colours) => {
    for (const colour of colours) {
      canvas.fillStyle = colour;
      canvas.fillRect(0, 0, 1, 1);
    }
    return canvas.getImageData(0, 0, 1, 1).data.slice(0, 3);
  };
  const light = (rgb) => {
    const [r, g, b] = Array.from(rgb, (v) => (v / 255 <= 0.04045 ? v / 255 / 12.92 : ((v / 255 + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ratio = (one, other) => {
    const [dark, bright] = [light(one), light(other)].sort((a, b) => a - b);
    return (bright + 0.05) / (dark + 0.05);
  };
  const style = (selector) => getComputedStyle(document.querySelector(selector));
  const page = style("body").backgroundColor, card = style(".field").backgroundColor, ink = style("textarea").color;
  const found = {
    heading: ratio(flat(page), flat(style("h1").color)),
    small: ratio(flat(page), flat(style(".small").color)),
    button: ratio(flat(style("button").backgroundColor), flat(style("button").color)),
  };
  for (const key of document.querySelectorAll(".key")) {
    found[key.textContent] = ratio(flat(card, getComputedStyle(key).backgroundColor), flat(ink)); // the strongest colours
  }
  return found;
}
