// The tokeniser: what the graph does in files that take text, and what files that take ids need.
import { rereads } from "./backtracking.js";
import { InputError, ModelFileError } from "./errors.js";
import { parsePattern, written } from "./pattern.js";
import { Pieces } from "./pieces.js";

const REPLACEMENT = "\ufffd";

/**
 * The text with U+FFFD for each character that platforms read differently: NUL, which ends a string
 * in onnxruntime's packages; lone surrogates, which the web one refuses; U+0130 and U+212A, which it
 * lowers to ASCII letters. One for one, so that positions stay; Python and C replace the same ones.
 * @param {string} text
 */
export function replaceUnportable(text) {
  return text.replace(/[\0\u0130\u212a]|\p{Surrogate}/gu, REPLACEMENT);
}

/** Pieces of a token, between characters to delete, that are joined; as in the graph. */
const MOST_PARTS = 32;

/** Longest text, in characters, where the time of a file's pattern may grow with the square of it: seconds. */
const LONGEST = 50_000;

/** A to Z as a to z, and no other letter, as in Python. @param {string} text */
export const lower = (text) => text.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());

/** Lower-case A to Z, then take every match of a pattern, from left to right. */
export class Tokenizer {
  #pattern;
  #square;
  #items;
  /** @type {Pieces | undefined} */ #pieces;
  #keepsCase;
  /** @type {readonly string[]} */ #blanks;
  #kept;

  /** @param {Partial<import("./metadata.js").TokenizerSpec> & {pattern: string}} spec As the file's metadata has it. */
  constructor({ pattern, case: letters = "lower", blank = [], delete: deleted = "" }) {
    const { regex, square, items } = compile(pattern);
    this.#items = items;
    this.#pattern = regex;
    this.#square = square;
    this.#keepsCase = letters === "keep";
    this.#blanks = this.#keepsCase ? blank : blank.map(lower);
    this.#kept = deleted ? new RegExp(`[^${deleted.replace(/[\]\\^-]/g, "\\$&")}]+`, "gu") : null;
  }

  /** The tokens of a text with their places in it. @param {string} text */
  matches(text) {
    return this.#raw(text).flatMap(({ token, start, end }) => {
      if (!this.#kept) return [{ token, start, end }];
      const parts = token.match(this.#kept);
      return parts ? [{ token: parts.slice(0, MOST_PARTS).join(""), start, end }] : [];
    });
  }

  /** The matches, with the characters that are deleted from them. @param {string} text */
  #raw(text) {
    if (this.#square && text.length > LONGEST) {
      throw new InputError(`a text of ${text.length} characters: with this file's token pattern, ${LONGEST} can be read in reasonable time`);
    }
    return cut(this.#clean(text), this.#blanks).flatMap(([start, part]) =>
      Array.from(part.matchAll(this.#pattern), ({ 0: token, index }) => ({
        token, start: start + index, end: start + index + token.length,
      })),
    );
  }

  /**
   * The places of the tokens that the graph saw; it may have dropped some that it did not know. One that
   * is nowhere has no width, behind the token before it.
   * @param {string} text
   * @param {readonly string[]} seen
   */
  locate(text, seen) {
    const matches = this.matches(text), places = placesByToken(matches);
    let at = 0, behind = 0;
    return seen.map((token) => {
      const left = places.get(token) ?? [];
      while ((left.at(-1) ?? at) < at) left.pop();
      const place = left.pop(), match = matches[place ?? -1];
      at = place === undefined ? at : place + 1;
      behind = match?.end ?? behind;
      return match ?? { token, start: behind, end: behind };
    });
  }

  /**
   * Split off the end that more text may read otherwise, and half of a character.
   * @param {string} text
   * @returns {[complete: string, pending: string]}
   */
  splitOpen(text) {
    const whole = /[\ud800-\udbff]$/.test(text) ? text.slice(0, -1) : text;
    this.#pieces ??= new Pieces(this.#items);
    const cut = this.#pieces.settled(this.#clean(whole), this.#raw(whole));
    return [text.slice(0, cut), text.slice(cut)];
  }

  /** As it is read. @param {string} text */
  #clean(text) {
    const clean = replaceUnportable(text);
    return this.#keepsCase ? clean : lower(clean);
  }
}

/**
 * Token to its numbers in a list, the first at the end: taken off there, each is looked at once, however
 * many tokens are nowhere.
 * @param {readonly {token: string}[]} matches
 * @returns {Map<string, number[]>}
 */
function placesByToken(matches) {
  const places = new Map();
  for (let n = matches.length - 1; n >= 0; n--) {
    const token = matches[n]?.token, found = places.get(token);
    if (found) found.push(n);
    else places.set(token, [n]);
  }
  return places;
}

/**
 * Word to id; other spellings have the id of their word.
 * @param {readonly string[]} words Words by id.
 * @param {readonly (readonly [alias: string, word: string])[]} aliases
 * @returns {Map<string, number>}
 */
export function wordIds(words, aliases = []) {
  const ids = new Map(words.map((word, id) => [word, id]));
  for (const [alias, word] of aliases) if (!ids.has(alias)) ids.set(alias, ids.get(word) ?? -1);
  return ids;
}

/** The tokeniser and the vocabulary: text in, ids out. */
export class WordEncoder {
  #tokenizer;
  #spec;
  #ids;

  /**
   * @param {import("./metadata.js").TokenizerSpec} spec
   * @param {readonly string[]} words Words by id.
   * @param {readonly (readonly [alias: string, word: string])[]} aliases Other spellings, each with its word.
   */
  constructor(spec, words, aliases = []) {
    this.#tokenizer = new Tokenizer(spec);
    this.#spec = spec;
    this.#ids = wordIds(words, aliases);
    // Ids without a word, and special words, which no text can spell.
    for (const word of ["", "<pad>", words[spec.unknown ?? -1] ?? ""]) this.#ids.delete(word);
  }

  /** The tokens that reach the network, with their places and ids. @param {string} text */
  encode(text) {
    return this.#tokenizer.matches(text).flatMap((match) => {
      const id = this.#ids.get(match.token) ?? this.#spec.unknown;
      return id === null ? [] : [{ ...match, id }];
    });
  }

  /** The share of the tokens that have an id of their own; 0 of none. @param {string} text */
  known(text) {
    const tokens = this.#tokenizer.matches(text);
    return tokens.filter(({ token }) => this.#ids.has(token)).length / Math.max(tokens.length, 1);
  }

  /** At least one id: cut and padded where the network was trained so. @param {string} text */
  ids(text) {
    const { max_tokens: most, keep, pad, pad_to: width = 0, pad_side: side, empty } = this.#spec;
    let ids = this.encode(text).map(({ id }) => id);
    if (most) ids = keep === "last" ? ids.slice(-most) : ids.slice(0, most);
    const padding = Array(Math.max(0, (width ?? 0) - ids.length)).fill(pad);
    ids = side === "right" ? [...ids, ...padding] : [...padding, ...ids];
    return ids.length ? ids : [empty];
  }
}

/**
 * What stands between blanks, with its place; one kind of blank after the other.
 * @param {string} text @param {readonly string[]} blanks
 * @returns {[start: number, part: string][]}
 */
function cut(text, [blank, ...others]) {
  if (blank === undefined) return [[0, text]];
  let start = 0;
  return text.split(blank).flatMap((part) => {
    const found = cut(part, others).map(([at, inner]) => /** @type {[number, string]} */ ([start + at, inner]));
    start += part.length + blank.length;
    return found;
  });
}

/**
 * @param {string} pattern One of RE2 and Python.
 * @returns {{regex: RegExp, square: boolean, items: readonly import("./pattern.js").Item[]}} Whether time may grow with
 *   the square of a text's length.
 * @throws {ModelFileError} When RE2, Python and JavaScript do not read it alike, or could take for ever on it.
 */
function compile(pattern) {
  const items = parsePattern(pattern);
  return { items, square: rereads(items), regex: new RegExp(written(items), "gu") };
}
