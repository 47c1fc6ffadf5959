// Whether JavaScript runs a pattern in a time that its texts can be read in: what
// lstm_runtime/text/backtracking.py is for Python, which tells why and how.
import { ModelFileError } from "./errors.js";

/**
 * @typedef {import("./pattern.js").Item} Item
 * @typedef {import("./pattern.js").Ranges} Ranges
 *
 * @typedef {object} Part A piece of a pattern.
 * @property {number} empty In how many ways it matches nothing at all: 0, 1, or 2 for more than one.
 * @property {number[]} first Positions that it can begin with, once for each way.
 * @property {number[]} last Positions that it can end with, once for each way.
 */

const MOST_POSITIONS = 400;
/** Copies of what is repeated: copies of copies that have no position would have no end. */
const MOST_COPIES = 4 * MOST_POSITIONS;
/** Places with two ways that are passed once: each may double the work. */
const MOST_FORKS = 4;

/**
 * Check a pattern; tell whether a text may be read more than a few times, so that time grows with the
 * square of its length at worst.
 * @param {readonly Item[]} items Of `parsePattern`.
 * @throws {ModelFileError} When time may grow faster, or the pattern matches the empty string somewhere.
 */
export function rereads(items) {
  const [only] = items;
  const branches = items.length === 1 && only?.kind === "branch" ? only.branches : [items];
  return branches.map((branch) => branchRereads(branch)).some(Boolean);
}

/** @param {readonly Item[]} items */
function branchRereads(items) {
  const automaton = new Automaton(), whole = automaton.sequence(items);
  if (whole.empty) refuse("can match nothing at all");
  const accepting = new Set(automaton.asserts ? [] : whole.last);
  let forks = 0;
  for (const [place, followers] of [/** @type {const} */ ([-1, whole.first]), ...automaton.follow.entries()]) {
    if (!automaton.overlap(followers)) continue;
    const reached = automaton.behind(followers);
    if ([...reached, ...followers].every((one) => accepting.has(one))) continue;
    forks++;
    if (forks > MOST_FORKS || (place >= 0 && automaton.behind([place]).has(place))) refuse("can match a text in many ways");
  }
  const unsure = new Set([...automaton.sets.keys()].filter((place) => !accepting.has(place)));
  return [...unsure].some((place) => automaton.behind([place], unsure).has(place));
}

/** @param {string} why @returns {never} */
function refuse(why) {
  throw new ModelFileError(`the file's token pattern ${why}`);
}

/** The positions of one alternative, and what may follow each (Glushkov's automaton). */
class Automaton {
  /** The characters of each position. @type {Ranges[]} */
  sets = [];
  /** The positions that may come behind each, once for each way. @type {number[][]} */
  follow = [];
  /** Whether something other than a character is asked for, such as a word's boundary. */
  asserts = false;
  #copies = 0;

  /** Add pieces one behind the other. @param {readonly Item[]} items @returns {Part} */
  sequence(items) {
    return items.reduce((found, item) => this.#joined(found, this.#item(item)), nothing());
  }

  /** The positions that can be reached from `places`, on a way through `within`. @param {readonly number[]} places @param {ReadonlySet<number>} [within] */
  behind(places, within) {
    const found = new Set(), todo = [...places];
    for (let place = todo.pop(); place !== undefined; place = todo.pop()) {
      for (const next of this.follow[place] ?? []) {
        if (found.has(next) || (within && !within.has(next))) continue;
        found.add(next);
        todo.push(next);
      }
    }
    return found;
  }

  /** Whether two of the positions have a character in common. @param {readonly number[]} places */
  overlap(places) {
    const sets = places.map((place) => this.sets[place] ?? []);
    return sets.some((one, n) => sets.slice(n + 1).some((two) => common(one, two)));
  }

  /** @param {Item} item @returns {Part} */
  #item(item) {
    if (item.kind === "group") return this.sequence(item.items);
    if (item.kind === "branch") {
      const parts = item.branches.map((branch) => this.sequence(branch));
      const empty = parts.reduce((sum, part) => sum + part.empty, 0);
      return { empty: Math.min(empty, 2), first: parts.flatMap(({ first }) => first), last: parts.flatMap(({ last }) => last) };
    }
    if (item.kind === "repeat") return this.#repeat(item);
    if (item.kind === "set") return this.#position(item.ranges);
    this.asserts = true;
    return nothing();
  }

  /** @param {Ranges} ranges @returns {Part} */
  #position(ranges) {
    const place = this.sets.push(ranges) - 1;
    if (place >= MOST_POSITIONS) refuse("is too long");
    this.follow.push([]);
    return { empty: 0, first: [place], last: [place] };
  }

  /** Add as many copies as there must be, and a loop for those that there may be. @param {import("./pattern.js").Repeat} item */
  #repeat({ least, most, items }) {
    let found = nothing();
    for (let n = 0; n < least; n++) found = this.#joined(found, this.#copy(items));
    if (most === least) return found;
    const loop = this.#copy(items);
    if (most - least > 1) this.#link(loop.last, loop.first);
    // A body that may be empty is also tried so once more, at the end.
    const ways = Math.min(1 + loop.empty, 2);
    return this.#joined(found, { empty: ways, first: loop.first, last: times(loop.last, ways) });
  }

  /** @param {readonly Item[]} items */
  #copy(items) {
    if (++this.#copies > MOST_COPIES) refuse("is too long");
    return this.sequence(items);
  }

  /** @param {Part} one @param {Part} two @returns {Part} */
  #joined(one, two) {
    this.#link(one.last, two.first);
    return {
      empty: Math.min(one.empty * two.empty, 2),
      first: twiceAtMost([...one.first, ...times(two.first, one.empty)]),
      last: twiceAtMost([...times(one.last, two.empty), ...two.last]),
    };
  }

  /** Let some positions follow others. @param {readonly number[]} before @param {readonly number[]} after */
  #link(before, after) {
    for (const place of before) this.follow[place] = twiceAtMost([...(this.follow[place] ?? []), ...after]);
  }
}

/** @returns {Part} */
const nothing = () => ({ empty: 1, first: [], last: [] });

/** @param {readonly number[]} places @param {number} ways */
const times = (places, ways) => Array.from({ length: ways }, () => places).flat();

/** Positions for as many ways as there are, or two: more are as bad, and could double. @param {readonly number[]} places */
function twiceAtMost(places) {
  /** @type {Map<number, number>} */
  const ways = new Map();
  for (const place of places) ways.set(place, Math.min((ways.get(place) ?? 0) + 1, 2));
  return [...ways].flatMap(([place, count]) => times([place], count));
}

/** @param {Ranges} one @param {Ranges} two */
const common = (one, two) => one.some(([low, high]) => two.some(([from, to]) => low <= to && from <= high));
