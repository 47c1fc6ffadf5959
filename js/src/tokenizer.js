// The tokeniser: what the graph does in files that take text, and what files that take ids need.
import { ModelFileError } from "./errors.js";

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

/** @param {string} text */
const lower = (text) => text.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());

/** Lower-case A to Z, then take every match of a pattern, from left to right. */
export class Tokenizer {
  #pattern;
  #keepsCase;
  /** @type {readonly string[]} */ #blanks;
  #kept;

  /** @param {Partial<import("./metadata.js").TokenizerSpec> & {pattern: string}} spec As the file's metadata has it. */
  constructor({ pattern, case: letters = "lower", blank = [], delete: deleted = "" }) {
    this.#pattern = compile(pattern);
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
    const clean = replaceUnportable(text);
    return cut(this.#keepsCase ? clean : lower(clean), this.#blanks).flatMap(([start, part]) =>
      Array.from(part.matchAll(this.#pattern), ({ 0: token, index }) => ({
        token, start: start + index, end: start + index + token.length,
      })),
    );
  }

  /**
   * The places of the tokens that the graph saw; it may have dropped some that it did not know.
   * @param {string} text
   * @param {readonly string[]} seen
   */
  locate(text, seen) {
    const matches = this.matches(text);
    let at = 0;
    return seen.map((token) => {
      while (at < matches.length && matches[at]?.token !== token) at++;
      return matches[at++] ?? { token, start: text.length, end: text.length };
    });
  }

  /**
   * Split off the last token where it reaches the end, since more may belong to it, and half of a
   * character.
   * @param {string} text
   * @returns {[complete: string, pending: string]}
   */
  splitOpen(text) {
    const last = this.#raw(text).at(-1);
    const whole = /[\ud800-\udbff]$/.test(text) ? text.length - 1 : text.length;
    const cut = last && last.end >= whole ? last.start : whole;
    return [text.slice(0, cut), text.slice(cut)];
  }
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

/** What `\s` means to the tokeniser in Python; JavaScript's takes in spaces of other scripts. */
const SPACES = "\\t\\n\\v\\f\\r ";

/**
 * A pattern of RE2 and Python as JavaScript reads it: by characters and not by UTF-16 units, which
 * forbids escapes that are not needed, and with ASCII's spaces.
 * @param {string} pattern
 * @throws {ModelFileError} When JavaScript has no such expression.
 */
function compile(pattern) {
  let inClass = false;
  const translated = pattern.replace(/\\(.)|[[\].]/gsu, (part, escaped) => {
    if (part === ".") return inClass ? part : "[^\\n]";
    if (part === "[") inClass = true;
    if (part === "]") inClass = false;
    if (escaped === "s") return inClass ? SPACES : `[${SPACES}]`;
    if (escaped === "S" && !inClass) return `[^${SPACES}]`;
    if (escaped === "S") throw new ModelFileError(`JavaScript cannot read the token pattern ${pattern}`);
    if (escaped === "-" && !inClass) return "-";
    return escaped && /[^\w^$\\.*+?()[\]{}|/-]/.test(escaped) ? escaped : part;
  });
  try {
    return new RegExp(translated, "gu");
  } catch (error) {
    throw new ModelFileError(`JavaScript cannot read the token pattern ${pattern}`, { cause: error });
  }
}
