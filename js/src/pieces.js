// Where a text that is still to go on may be cut, so that its pieces have the tokens of the whole: what
// lstm_runtime/text/pieces.py is for Python, and the machine of its automaton.py.
import { InputError } from "./errors.js";

/**
 * @typedef {import("./pattern.js").Item} Item
 * @typedef {import("./pattern.js").Ranges} Ranges
 * @typedef {"edge" | "word" | "other" | "any"} Side What stands beside a place; `any` where nobody knows yet.
 * @typedef {{ranges?: Ranges, place?: string, ways: number[]}} Node A place in the pattern: the characters that
 *   lead on from it, or what is asked of it, and what follows.
 * @typedef {{nodes: number[], before: Side, on: Map<number, State>}} State Where a reading stands, and where each
 *   character that came there led.
 */

/** The node at which a token ends. */
const MATCH = 0;
const MOST_NODES = 5_000;
/** Steps that are remembered: a text may have a million different characters. */
const MOST_STEPS = 20_000;

/** The machine of one pattern, which reads character by character. */
export class Pieces {
  /** @type {Node[]} */ #nodes = [{ ways: [] }];
  /** @type {Map<string, State>} */ #states = new Map();
  #steps = 0;
  #start;
  #places;

  /** @param {readonly Item[]} items Of `parsePattern`. @throws {InputError} When there are too many. */
  constructor(items) {
    this.#start = this.#sequence(items, MATCH);
    this.#places = new Set(this.#nodes.flatMap(({ place }) => place ?? []));
  }

  /**
   * Up to where the tokens of a text are what they are, whatever follows it: a place that is in no token.
   * @param {string} text In the case in which it is read, without lone surrogates.
   * @param {readonly {start: number, end: number}[]} matches Of the pattern.
   */
  settled(text, matches) {
    if (this.#places.has("^")) return 0; // which each piece has
    let safe = 0, reach = -1;
    for (const place of between(text, matches)) {
      // A word's boundary is judged by both its sides: the edge of a piece counts as no word, and what
      // reaches that edge would be judged by it.
      const isApart = place > reach && (!place || sideOf(text.charCodeAt(place - 1)) === "other");
      if (isApart || !this.#places.size) safe = place;
      if (place === text.length) break;
      const end = this.#reach(text, place);
      if (end === null) break;
      reach = Math.max(reach, end);
    }
    return safe;
  }

  /**
   * How far a match is looked for: the place of the character that ends all ways, or null where more text
   * could still change what is found.
   * @param {string} text @param {number} start
   */
  #reach(text, start) {
    const before = start && this.#places.size ? sideOf(text.charCodeAt(start - 1)) : "edge";
    let state = this.#state([this.#start], before);
    for (let at = start; at < text.length; ) {
      const code = text.codePointAt(at) ?? 0;
      state = this.#step(state, code);
      if (!state.nodes.length) return at;
      at += code > 0xffff ? 2 : 1;
    }
    const goesOn = this.#ways(state.nodes, state.before, "any").some((node) => node !== MATCH);
    return this.#places.size || goesOn ? null : text.length;
  }

  /** @param {State} state @param {number} code @returns {State} */
  #step(state, code) {
    const known = state.on.get(code);
    if (known) return known;
    const side = this.#places.size ? sideOf(code) : "edge";
    const taken = this.#ways(state.nodes, state.before, side).filter((n) => within(code, this.#nodes[n]?.ranges ?? []));
    if (++this.#steps > MOST_STEPS) this.#forget();
    const next = this.#state([...new Set(taken.flatMap((n) => this.#nodes[n]?.ways ?? []))], side);
    state.on.set(code, next);
    return next;
  }

  #forget() {
    for (const { on } of this.#states.values()) on.clear();
    this.#states.clear();
    this.#steps = 0;
  }

  /** @param {number[]} nodes @param {Side} before */
  #state(nodes, before) {
    const key = `${before} ${nodes}`;
    let state = this.#states.get(key);
    if (!state) this.#states.set(key, (state = { nodes, before, on: new Map() }));
    return state;
  }

  /** The nodes that read a character, and `MATCH`. @param {number[]} nodes @param {Side} before @param {Side} behind */
  #ways(nodes, before, behind) {
    const seen = new Set(nodes);
    for (const number of seen) {
      const { ranges, place, ways } = /** @type {Node} */ (this.#nodes[number]);
      if (!ranges && (place === undefined || holds(place, before, behind))) ways.forEach((way) => seen.add(way));
    }
    return [...seen].filter((number) => number === MATCH || this.#nodes[number]?.ranges);
  }

  /** @param {Node} node */
  #add(node) {
    if (this.#nodes.length >= MOST_NODES) throw new InputError("the file's token pattern is too long to read pieces");
    return this.#nodes.push(node) - 1;
  }

  /** Add pieces one behind the other. @param {readonly Item[]} items @param {number} behind @returns {number} Their start. */
  #sequence(items, behind) {
    return items.reduceRight((after, item) => this.#item(item, after), behind);
  }

  /** @param {Item} item @param {number} behind @returns {number} */
  #item(item, behind) {
    if (item.kind === "set") return this.#add({ ranges: item.ranges, ways: [behind] });
    if (item.kind === "assertion") return this.#add({ place: item.sign, ways: [behind] });
    if (item.kind === "group") return this.#sequence(item.items, behind);
    if (item.kind === "branch") return this.#add({ ways: item.branches.map((one) => this.#sequence(one, behind)) });
    return this.#repeat(item, behind);
  }

  /** @param {Extract<Item, {kind: "repeat"}>} item @param {number} behind */
  #repeat({ least, most, items }, behind) {
    let entry = behind;
    if (most === Infinity) {
      /** @type {Node} */
      const loop = { ways: [behind] };
      entry = this.#add(loop);
      loop.ways.push(this.#sequence(items, entry));
    } else for (let n = least; n < most; n++) entry = this.#add({ ways: [this.#sequence(items, entry), behind] });
    for (let n = 0; n < least; n++) entry = this.#sequence(items, entry);
    return entry;
  }
}

/**
 * The places that are within no match and no character, the end of the text with them.
 * @param {string} text @param {readonly {start: number, end: number}[]} matches
 */
function* between(text, matches) {
  let at = 0;
  for (const { start, end } of [...matches, { start: text.length, end: 0 }]) {
    for (; at <= start; at++) if (!/[\udc00-\udfff]/.test(text.charAt(at))) yield at;
    at = end;
  }
}

/** @param {number} code @returns {Side} What a character is to a word's boundary. */
const sideOf = (code) => (/\w/.test(String.fromCodePoint(code)) ? "word" : "other");

/** @param {number} code @param {Ranges} ranges */
const within = (code, ranges) => ranges.some(([low, high]) => low <= code && code <= high);

/**
 * Whether a place is what is asked for; where that is not known yet, it may be.
 * @param {string} place @param {Side} before @param {Side} behind
 */
function holds(place, before, behind) {
  if (place === "^") return before === "edge";
  if (behind === "any") return true;
  if (place === "$") return behind === "edge";
  return ((before === "word") !== (behind === "word")) === (place === "\\b");
}
