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

/** Lower-case A to Z, then take every match of a pattern, from left to right. */
export class Tokenizer {
  #pattern;

  /** @param {string} pattern As the file's metadata has it: of RE2 and Python. */
  constructor(pattern) {
    this.#pattern = compile(pattern);
  }

  /** The tokens of a text with their places in it. @param {string} text */
  matches(text) {
    const lowered = replaceUnportable(text).replace(/[A-Z]+/g, (letters) => letters.toLowerCase());
    return Array.from(lowered.matchAll(this.#pattern), ({ 0: token, index }) => ({ token, start: index, end: index + token.length }));
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
    const last = this.matches(text).at(-1);
    const whole = /[\ud800-\udbff]$/.test(text) ? text.length - 1 : text.length;
    const cut = last && last.end >= whole ? last.start : whole;
    return [text.slice(0, cut), text.slice(cut)];
  }
}

/** The tokeniser and the vocabulary: text in, ids out. */
export class WordEncoder {
  #tokenizer;
  #spec;
  #ids;

  /** @param {import("./metadata.js").TokenizerSpec} spec @param {readonly string[]} words Words by id. */
  constructor(spec, words) {
    this.#tokenizer = new Tokenizer(spec.pattern);
    this.#spec = spec;
    this.#ids = new Map(words.map((word, id) => [word, id]));
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

  /** At least one id. @param {string} text */
  ids(text) {
    const ids = this.encode(text).map(({ id }) => id);
    return ids.length ? ids : [this.#spec.empty];
  }
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
