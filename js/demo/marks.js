// The colours behind the text: a copy of it, unseen, in which ranges are highlighted (CSS Custom
// Highlight API). An element for each of 20,000 words would hold the page up for seconds; ranges of
// one text node need no layout. Browsers without the API show the text without colours.

/** Steps of colour from none to full, for each label. */
const STEPS = 10;

/** Most of a colour's strength: what is written over it has to stay readable. */
const STRONGEST = 0.45;

/** Above so many letters an answer takes long enough for old colours to be a nuisance. */
const LONG = 20_000;

export class Marks {
  #element;
  #text = new Text();
  /** @type {Map<string, Highlight>} */ #highlights = new Map();

  /** @param {HTMLElement} element Lies behind the textarea, with its font and its size. */
  constructor(element) {
    this.#element = element;
    element.append(this.#text);
    if (!globalThis.CSS?.highlights) return;
    const sheet = new CSSStyleSheet();
    for (const label of ["negative", "positive"]) {
      for (let step = 1; step <= STEPS; step++) {
        const strength = (STRONGEST * step) / STEPS;
        this.#register(sheet, `${label}-${step}`, `background-color: rgb(var(--${label}) / ${strength.toFixed(3)})`);
      }
    }
    this.#register(sheet, "chosen", "text-decoration: underline 3px var(--ink)");
    document.adoptedStyleSheets.push(sheet);
  }

  /** Take the colours away when they would stand behind the wrong words for long. @param {string} text */
  outdate(text) {
    if (text.length > LONG) this.#clear();
  }

  /**
   * @param {string} text
   * @param {Uint32Array} starts Where each word starts.
   * @param {Uint32Array} ends Where it ends.
   * @param {Float32Array} probabilities What the model thought after it.
   */
  paint(text, starts, ends, probabilities) {
    this.#clear();
    this.#text.data = `${text} `; // a last line break counts only with something behind it
    for (let n = 0; n < starts.length; n++) this.#mark(colour(probabilities[n]), starts[n], ends[n]);
  }

  /** Underline a word. @param {number} start @param {number} end */
  choose(start, end) {
    this.#highlights.get("chosen")?.clear();
    this.#mark("chosen", start, end);
  }

  /** @param {number} top */
  scrollTo(top) {
    this.#element.scrollTop = top;
  }

  /** @param {CSSStyleSheet} sheet @param {string} name @param {string} style */
  #register(sheet, name, style) {
    const highlight = new Highlight();
    CSS.highlights.set(name, highlight);
    this.#highlights.set(name, highlight);
    sheet.insertRule(`::highlight(${name}) { ${style} }`);
  }

  /** @param {string} name @param {number} startOffset @param {number} endOffset */
  #mark(name, startOffset, endOffset) {
    const node = this.#text;
    this.#highlights.get(name)?.add(new StaticRange({ startContainer: node, startOffset, endContainer: node, endOffset }));
  }

  #clear() {
    for (const highlight of this.#highlights.values()) highlight.clear();
  }
}

/** The name of the highlight for a probability. @param {number} probability */
function colour(probability) {
  const label = probability < 0.5 ? "negative" : "positive";
  return `${label}-${Math.max(1, Math.round(2 * STEPS * Math.abs(probability - 0.5)))}`;
}
