import assert from "node:assert/strict";
import { test } from "node:test";
import { ModelFileError } from "lstm-edge";
import { replaceUnportable, Tokenizer, WordEncoder } from "../src/tokenizer.js";
import { golden, shown } from "./golden.js";

test("patterns of RE2 and Python give Python's tokens", () => {
  for (const { pattern, texts } of golden.tokens) {
    const tokenizer = new Tokenizer(pattern);
    for (const [text, tokens] of texts) {
      assert.deepEqual(tokenizer.matches(text).map(({ token }) => token), tokens, `${pattern} on ${shown(text)}`);
    }
  }
});

test("a pattern that JavaScript cannot read is refused, not misread", () => {
  for (const pattern of ["(?i)a", "\\Aword", "(?P<x>a)", "[a", "[", "[^\\S\\n]+"]) assert.throws(() => new Tokenizer(pattern), ModelFileError);
});

test("characters that platforms read differently are replaced one for one", () => {
  assert.equal(replaceUnportable("a\0b\u0130c\u212ad\ud800e\udc00f"), "a\ufffdb\ufffdc\ufffdd\ufffde\ufffdf");
  for (const text of ["", "plain", "😀 \ud83d\ude00", "İ".toLowerCase(), "é"]) assert.equal(replaceUnportable(text), text);
});

test("the open end is held back: a word, half a character", () => {
  const tokenizer = new Tokenizer("[a-z0-9']+|[!?]");
  for (const [text, complete, pending] of [
    ["good fi", "good ", "fi"], ["good ", "good ", ""], ["", "", ""], ["good\ud83d", "", "good\ud83d"],
    ["good \ud83d", "good ", "\ud83d"], ["😀", "😀", ""], ["!!", "!", "!"], ["good\0", "good\0", ""],
  ]) assert.deepEqual(tokenizer.splitOpen(text), [complete, pending], shown(text));
});

test("places are found again where the graph dropped unknown tokens", () => {
  const tokenizer = new Tokenizer("[a-z]+");
  const places = tokenizer.locate("The bad bad Film", ["bad", "film"]).map(({ start, end }) => [start, end]);
  assert.deepEqual(places, [[4, 7], [12, 16]]);
  assert.deepEqual(tokenizer.locate("x", ["y"]), [{ token: "y", start: 1, end: 1 }]);
});

test("ids: unknown words, dropped words, special words, no words", () => {
  const spec = { pattern: "[a-z<>]+", pad: 0, unknown: 1, empty: 1 }, words = ["<pad>", "<unk>", "good", ""];
  assert.deepEqual(new WordEncoder(spec, words).ids("Good <pad> <unk> odd"), [2, 1, 1, 1]);
  assert.deepEqual(new WordEncoder({ ...spec, unknown: null, empty: 0 }, words).ids("Good <pad> odd"), [2]);
  assert.deepEqual(new WordEncoder({ ...spec, unknown: null, empty: 0 }, words).ids("odd"), [0]);
});
