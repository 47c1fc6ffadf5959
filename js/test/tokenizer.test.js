import assert from "node:assert/strict";
import { test } from "node:test";
import { InputError, ModelFileError } from "lstm-edge";
import { rereads } from "../src/backtracking.js";
import { parsePattern } from "../src/pattern.js";
import { replaceUnportable, Tokenizer, WordEncoder } from "../src/tokenizer.js";
import { golden, patterns, shown } from "./golden.js";

test("patterns of RE2 and Python give Python's tokens", () => {
  for (const { pattern, texts } of golden.tokens) {
    const tokenizer = new Tokenizer({ pattern });
    for (const [text, tokens] of texts) {
      assert.deepEqual(tokenizer.matches(text).map(({ token }) => token), tokens, `${pattern} on ${shown(text)}`);
    }
  }
});

test("patterns are taken and refused as in Python", () => {
  for (const pattern of [...patterns.refused, "(?i)a", "(?P<x", "\\u00", "(?:".repeat(3000) + "a" + ")".repeat(3000), "(".repeat(1e5), "ab|".repeat(1e5)]) {
    assert.throws(() => new Tokenizer({ pattern }), ModelFileError, shown(pattern));
  }
  for (const square of [false, true]) {
    for (const pattern of patterns[square ? "square" : "linear"]) {
      assert.equal(rereads(parsePattern(pattern)), square, pattern);
      assert.ok(new Tokenizer({ pattern }).matches("a word, <b>12.5</b> a@b.de aa {b} ad я").length, pattern);
    }
  }
});

test("a long text is refused where the pattern would take for ever", () => {
  const tokenizer = new Tokenizer({ pattern: "<[^>]+>|[a-z]+" });
  assert.equal(tokenizer.matches("<b>good").length, 2);
  assert.throws(() => tokenizer.matches("<".repeat(50_001)), InputError);
  assert.equal(new Tokenizer({ pattern: "[a-z]+" }).matches("a ".repeat(50_001)).length, 50_001);
});

test("characters that platforms read differently are replaced one for one", () => {
  assert.equal(replaceUnportable("a\0b\u0130c\u212ad\ud800e\udc00f"), "a\ufffdb\ufffdc\ufffdd\ufffde\ufffdf");
  for (const text of ["", "plain", "😀 \ud83d\ude00", "İ".toLowerCase(), "é"]) assert.equal(replaceUnportable(text), text);
});

test("the open end is held back: what more text may change, half a character", () => {
  for (const [pattern, text, pending] of patterns["held back"]) {
    const complete = text.slice(0, text.length - pending.length);
    assert.deepEqual(new Tokenizer({ pattern }).splitOpen(text), [complete, pending], shown(text));
  }
  const tokenizer = new Tokenizer({ pattern: "[a-z0-9']+|[!?]" });
  for (const [text, complete, pending] of [
    ["good\ud83d", "", "good\ud83d"], ["good \ud83d", "good ", "\ud83d"],
  ]) assert.deepEqual(tokenizer.splitOpen(text), [complete, pending], shown(text));
});

test("places are found again where the graph dropped unknown tokens", () => {
  const tokenizer = new Tokenizer({ pattern: "[a-z]+" });
  const places = tokenizer.locate("The bad bad Film", ["bad", "film"]).map(({ start, end }) => [start, end]);
  assert.deepEqual(places, [[4, 7], [12, 16]]);
  assert.deepEqual(tokenizer.locate("x", ["y"]), [{ token: "y", start: 0, end: 0 }]);
});

test("a token that is nowhere takes no other's place", () => {
  const tokenizer = new Tokenizer({ pattern: "[a-z]+" });
  const places = tokenizer.locate("a bad, bad film", ["odd", "bad", "odd", "film", "bad"]).map(({ start, end }) => [start, end]);
  assert.deepEqual(places, [[0, 0], [2, 5], [5, 5], [11, 15], [15, 15]]);
  const many = Array(100_000).fill("odd");
  assert.equal(tokenizer.locate("a ".repeat(100_000), [...many, "a"]).at(-1).end, 1);
});

test("ids: unknown words, dropped words, special words, no words", () => {
  const spec = { pattern: "[a-z<>]+", pad: 0, unknown: 1, empty: 1 }, words = ["<pad>", "<unk>", "good", ""];
  assert.deepEqual(new WordEncoder(spec, words).ids("Good <pad> <unk> odd"), [2, 1, 1, 1]);
  assert.deepEqual(new WordEncoder({ ...spec, unknown: null, empty: 0 }, words).ids("Good <pad> odd"), [2]);
  assert.deepEqual(new WordEncoder({ ...spec, unknown: null, empty: 0 }, words).ids("odd"), [0]);
});

test("what a file's options say: case, blanks, deleted characters, a window", () => {
  const words = ["", "its", "bad", "film", "Film", "end"], base = { pad: 0, unknown: null, empty: 0 };
  const all = (/** @type {object} */ spec, /** @type {string} */ text) => new WordEncoder({ pattern: "[^\\s]+", ...base, ...spec }, words).ids(text);
  assert.deepEqual(all({ delete: "'.-]^\\" }, "It's b-a-d. [fi]lm -- ^bad\\."), [1, 2, 2]);
  assert.deepEqual(all({ delete: "." }, `b.a.d ${"x.".repeat(40)} ...`), [2]);
  assert.deepEqual(all({ case: "keep" }, "film Film FILM"), [3, 4]);
  assert.deepEqual(all({ blank: ["<BR />", "|"] }, "film<br />bad<Br />|film|end"), [3, 2, 3, 5]);
  const window = { max_tokens: 2, pad_to: 3 }, text = "film bad end";
  assert.deepEqual(all(window, text), [0, 3, 2]);
  assert.deepEqual(all({ ...window, keep: "last" }, text), [0, 2, 5]);
  assert.deepEqual(all({ ...window, pad_side: "right" }, text), [3, 2, 0]);
  assert.deepEqual(all(window, "zebra"), [0, 0, 0]);
});

test("a token of which characters are deleted keeps its place in the text", () => {
  const tokenizer = new Tokenizer({ pattern: "[^\\s]+", delete: "'.", blank: ["<br />"] });
  assert.deepEqual(tokenizer.matches("It's<br />... ok."), [
    { token: "its", start: 0, end: 4 }, { token: "ok", start: 14, end: 17 },
  ]);
  assert.deepEqual(tokenizer.splitOpen("it's ."), ["it's ", "."]);
});
