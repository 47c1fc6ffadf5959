// Token patterns: what RE2 and Python read alike, parsed, and written down again as JavaScript reads it.
import { ModelFileError } from "./errors.js";

/**
 * @typedef {readonly (readonly [low: number, high: number])[]} Ranges Characters, by code point.
 *
 * @typedef {{kind: "set", ranges: Ranges, negated: boolean}} Set One character; `ranges` are what it may be, `negated`
 *   whether it was written as what it may not.
 * @typedef {{kind: "assertion", sign: string}} Assertion A place, and no character.
 * @typedef {{kind: "group", items: Item[]}} Group
 * @typedef {{kind: "branch", branches: Item[][]}} Branch
 * @typedef {{kind: "repeat", least: number, most: number, lazy: boolean, items: Item[]}} Repeat
 * @typedef {Set | Assertion | Group | Branch | Repeat} Item
 */

const LAST = 0x10ffff;
const DEEPEST = 100;
const MOST_REPEATS = 1000;
/** `\n` is no `.`; the others are ASCII's, as in RE2 and in Python's re.ASCII. @type {Record<string, Ranges>} */
const CLASSES = {
  ".": [[10, 10]],
  d: [[48, 57]],
  s: [[9, 13], [32, 32]],
  w: [[48, 57], [65, 90], [95, 95], [97, 122]],
};
/** @type {Record<string, number>} */
const CONTROLS = { a: 7, f: 12, n: 10, r: 13, t: 9, v: 11 };
/** @type {Record<string, number>} */
const HEX_DIGITS = { x: 2, u: 4, U: 8 };
/** @type {Record<string, string>} */
const PLACES = { A: "^", Z: "$", b: "\\b", B: "\\B" };

/**
 * @param {string} pattern
 * @returns {Item[]} One behind the other.
 * @throws {ModelFileError} When RE2, Python and JavaScript do not read it alike.
 */
export function parsePattern(pattern) {
  const parser = new Parser(pattern);
  const items = parser.alternatives(0);
  return parser.ended ? items : parser.refuse();
}

/** The items as JavaScript's `u` expressions have them. @param {readonly Item[]} items @returns {string} */
export function written(items) {
  return items.map((item) => {
    if (item.kind === "set") return `[${item.ranges.map(([low, high]) => `${escaped(low)}-${escaped(high)}`).join("")}]`;
    if (item.kind === "assertion") return item.sign;
    if (item.kind === "group") return `(?:${written(item.items)})`;
    if (item.kind === "branch") return `(?:${item.branches.map(written).join("|")})`;
    const most = item.most === Infinity ? "" : item.most;
    return `(?:${written(item.items)}){${item.least},${most}}${item.lazy ? "?" : ""}`;
  }).join("");
}

/** @param {number} character */
const escaped = (character) => `\\u{${character.toString(16)}}`;

/** Reads a pattern from left to right, as Python's own parser does. */
class Parser {
  #at = 0;
  #characters;
  #pattern;

  /** @param {string} pattern */
  constructor(pattern) {
    this.#characters = [...pattern];
    this.#pattern = pattern;
  }

  get ended() {
    return this.#at >= this.#characters.length;
  }

  /** @returns {never} */
  refuse() {
    throw new ModelFileError(`JavaScript cannot read the token pattern ${this.#pattern.slice(0, 200)}`);
  }

  /** @param {number} depth @returns {Item[]} */
  alternatives(depth) {
    if (depth > DEEPEST) this.refuse();
    const branches = [this.#sequence(depth)];
    while (this.#take("|")) branches.push(this.#sequence(depth));
    return branches.length > 1 ? joined(branches) : /** @type {Item[]} */ (branches[0]);
  }

  /** @param {number} depth */
  #sequence(depth) {
    /** @type {Item[]} */
    const found = [];
    while (!this.ended && !/[|)]/.test(this.#peek)) {
      const items = this.#atom(depth), times = this.#quantifier();
      found.push(...(times ? [/** @type {Repeat} */ ({ kind: "repeat", ...times, items })] : items));
    }
    return found;
  }

  /** @param {number} depth @returns {Item[]} Several where a group without a name is none of its own. */
  #atom(depth) {
    if (/[*+?]/.test(this.#peek) || this.#quantifier()) this.refuse();
    const sign = this.#next();
    if (sign === "(") return this.#group(depth);
    if (sign === "[") return [this.#class()];
    if (sign === ".") return [set(CLASSES["."] ?? [], true)];
    if (sign === "^" || sign === "$") return this.#assertion(sign);
    if (sign !== "\\") return [literal(sign)];
    const letter = this.#next(), place = PLACES[letter];
    return place ? this.#assertion(place) : [this.#escape(letter)];
  }

  /** @param {string} sign @returns {Item[]} */
  #assertion(sign) {
    return this.#quantifier() ? this.refuse() : [{ kind: "assertion", sign }];
  }

  /** @param {number} depth @returns {Item[]} */
  #group(depth) {
    const plain = this.#take("?:"), named = !plain && this.#match(/^\?P<[A-Za-z_]\w*>/);
    if (!plain && !named && this.#peek === "?") this.refuse();
    const items = this.alternatives(depth + 1);
    if (!this.#take(")")) this.refuse();
    return plain ? items : [{ kind: "group", items }];
  }

  #quantifier() {
    const found = this.#match(/^(?:([*+?])|\{(?:(\d+)|(?=,))(,(\d*))?\})(\?)?/);
    if (!found) return null;
    const [, sign, least = "0", range, most] = found, lazy = found[5];
    const [from, to] = sign ? [Number(sign === "+"), sign === "?" ? 1 : Infinity] : [Number(least), range ? Number(most || Infinity) : Number(least)];
    const bad = from > to || from > MOST_REPEATS || (to > MOST_REPEATS && to < Infinity);
    // Twice repeated, or possessive, which RE2 does not have.
    if (bad || /^(?:[*+?]|\{\d*(,\d*)?\})/.test(this.#rest())) this.refuse();
    return { least: from, most: to, lazy: Boolean(lazy) };
  }

  /** What stands between brackets. @returns {Set} */
  #class() {
    const negated = this.#take("^");
    /** @type {Ranges[]} */
    const found = [];
    do {
      const low = this.#member();
      const ranged = this.#peek === "-" && this.#characters[this.#at + 1] !== "]";
      found.push(ranged && this.#next() ? this.#range(low, this.#member()) : low.ranges);
    } while (!this.#take("]"));
    return set(found.flat(), negated);
  }

  /** @returns {Set} */
  #member() {
    const sign = this.#next();
    if (sign !== "\\") return literal(sign);
    const letter = this.#next();
    return letter === "b" ? literal("\b") : this.#escape(letter);
  }

  /** @param {Set} from @param {Set} to @returns {Ranges} */
  #range(from, to) {
    const [low, high] = [from, to].map(({ ranges }) => (ranges.length === 1 && ranges[0]?.[0] === ranges[0]?.[1] ? ranges[0]?.[0] : undefined));
    return low === undefined || high === undefined || low > high ? this.refuse() : [[low, high]];
  }

  /** @param {string} letter Behind a backslash. @returns {Set} */
  #escape(letter) {
    const known = /[dsw]/i.test(letter) && CLASSES[letter.toLowerCase()];
    if (known) return set(letter === letter.toLowerCase() ? known : others(known));
    const digits = HEX_DIGITS[letter], control = CONTROLS[letter];
    if (digits) return this.#hexadecimal(digits);
    if (control !== undefined) return set([[control, control]]);
    return /[A-Za-z0-9]/.test(letter) ? this.refuse() : literal(letter);
  }

  /** @param {number} digits @returns {Set} */
  #hexadecimal(digits) {
    const code = parseInt(this.#match(new RegExp(`^[0-9A-Fa-f]{${digits}}`))?.[0] ?? "", 16);
    return code <= LAST ? set([[code, code]]) : this.refuse();
  }

  get #peek() {
    return this.#characters[this.#at] ?? "";
  }

  #next() {
    return this.#characters[this.#at++] ?? this.refuse();
  }

  /** No more than any sign is long. */
  #rest() {
    return this.#characters.slice(this.#at, this.#at + 100).join("");
  }

  /** @param {string} sign */
  #take(sign) {
    const found = this.#rest().startsWith(sign);
    if (found) this.#at += sign.length;
    return found;
  }

  /** @param {RegExp} sign */
  #match(sign) {
    const found = this.#rest().match(sign);
    this.#at += found?.[0].length ?? 0;
    return found;
  }
}

/** @param {string} character */
const literal = (character) => {
  const code = character.codePointAt(0) ?? 0;
  return set([[code, code]]);
};

/** @param {Ranges} ranges @param {boolean} [negated] @returns {Set} */
const set = (ranges, negated = false) => ({ kind: "set", ranges: negated ? others(ranges) : ranges, negated });

/** All characters that are not in `ranges`. @param {Ranges} ranges @returns {Ranges} */
function others(ranges) {
  /** @type {[number, number][]} */
  const found = [];
  let start = 0;
  for (const [low, high] of [...ranges].sort(([a], [b]) => a - b)) {
    if (low > start) found.push([start, low - 1]);
    start = Math.max(start, high + 1);
  }
  return start <= LAST ? [...found, [start, LAST]] : found;
}

/**
 * Alternatives, with what all of them begin with before them, and as one set where each is a character:
 * there is one way through them then, and Python finds as much.
 * @param {Item[][]} branches
 * @returns {Item[]}
 */
function joined(branches) {
  /** @type {Item[]} */
  const start = [];
  let rest = branches, first = branches[0]?.[0];
  while (first && rest.every(([item]) => JSON.stringify(item) === JSON.stringify(first))) {
    start.push(first);
    rest = rest.map((branch) => branch.slice(1));
    first = rest[0]?.[0];
  }
  const sets = rest.flatMap((branch) => (branch.length === 1 && branch[0]?.kind === "set" ? [branch[0]] : []));
  const single = sets.length === rest.length && !sets.some(({ negated }) => negated);
  return [...start, single ? set(sets.flatMap(({ ranges }) => ranges)) : { kind: "branch", branches: rest }];
}
