// Which parts of a Markdown text are prose, and which links does it define?
//
// CommonMark 0.31, sections 4 and 5, as far as links need them: code is not prose, a definition
// is not prose, an HTML block holds HTML only, and a blank line ends whatever was open.

import { normalizeLabel, readDestination, readTitle } from "./targets.mjs";

const FENCE = /^ *(`{3,}(?=[^`]*$)|~{3,})/;
const LIST_MARKER = /^ *(?:[-+*]|\d{1,9}[.)])(?=[ \t\r\n]|$)[ \t]?/;
const QUOTE_MARKER = /^ {0,3}> ?/;
const STANDS_ALONE =
  /^ {0,3}(?:#{1,6}(?:[ \t]|$)|(?:\*[ \t]*){3,}$|(?:-[ \t]*){3,}$|(?:_[ \t]*){3,}$|=+[ \t]*$)/;
/** Quotes and items inside each other on one line; each level looks at the rest of the line again. */
const MAX_CONTAINERS = 32;
/** CommonMark 4.4: four spaces in are code. */
const CODE_INDENT = 4;
const BLOCK_TAGS = [
  "address|article|aside|blockquote|body|caption|center|col|dd|details|dialog|dir|div|dl|dt|fieldset|figcaption",
  "figure|footer|form|frame|h[1-6]|head|header|hr|html|iframe|legend|li|link|main|menu|nav|ol|option|p|section",
  "summary|table|tbody|td|tfoot|th|thead|title|tr|ul",
].join("|");
/** CommonMark 4.6, kinds 1, 2 and 6: how an HTML block begins, and what ends it (null: a blank line). */
const HTML_BLOCKS = [
  { begin: /^ {0,3}<!--/, end: /-->/, silent: true },
  { begin: /^ {0,3}<(?:script|style)(?=[\s>]|$)/i, end: /<\/(?:script|style)>/i, silent: true },
  { begin: /^ {0,3}<(?:pre|textarea)(?=[\s>]|$)/i, end: /<\/(?:pre|textarea)>/i, silent: false },
  { begin: new RegExp(`^ {0,3}</?(?:${BLOCK_TAGS})(?=[\\s/>]|$)`, "i"), end: null, silent: false },
];

/**
 * Split *markdown* into runs of prose and the links it defines.
 *
 * Offsets are those of *markdown*: container markers become spaces.
 *
 * @returns {{runs: {start: number, text: string, html: boolean}[],
 *   definitions: Map<string, {url: string, title: string | null}>}}
 */
export function readBlocks(markdown) {
  const reader = new BlockReader();
  let offset = 0;
  for (const line of markdown.match(/[^\n]*\n|[^\n]+$/g) ?? []) {
    reader.take(line, offset);
    offset += line.length;
  }
  reader.close();
  return { runs: reader.runs, definitions: reader.definitions };
}

class BlockReader {
  runs = [];
  definitions = new Map();
  #open = [];
  #openAt = 0;
  #fence = null;
  #html = null;
  #inList = false;
  #afterBlank = true;

  take(line, offset) {
    const { body, quotes, isItem } = this.#strip(line);
    if (this.#skipFenced(body, quotes)) return;
    if (body.trim() === "") {
      this.#afterBlank = true;
      if (!this.#html?.end) this.close();
      else this.#push(line, body, offset);
      return;
    }
    if (this.#html) return this.#takeHtml(line, body, offset);
    if (this.#afterBlank && !isItem && indentOf(body) === 0) this.#inList = false;
    if (isItem) {
      this.close();
      this.#inList = true;
    } else if (this.#isIndentedCode(body)) return;
    this.#afterBlank = false;
    this.#takeProse(line, body, offset, quotes);
  }

  /** End the open run: keep its definitions, and the rest as prose. */
  close() {
    const html = this.#html;
    const text = this.#open.join("");
    this.#open = [];
    this.#html = null;
    if (text === "" || html?.silent) return;
    const at = html ? 0 : this.#takeDefinitions(text);
    this.runs.push({ start: this.#openAt + at, text: text.slice(at), html: html !== null });
  }

  #takeProse(line, body, offset, quotes) {
    const fence = this.#indentsCode(body) ? null : FENCE.exec(body.trimEnd());
    if (fence) {
      this.close();
      this.#fence = { mark: fence[1][0], length: fence[1].length, quotes };
      return;
    }
    const alone = STANDS_ALONE.test(body.trimEnd());
    const html = HTML_BLOCKS.find(({ begin }) => begin.test(body));
    if (alone || html) this.close();
    if (html) {
      this.#html = html;
      this.#takeHtml(line, body, offset);
      return;
    }
    this.#push(line, body, offset);
    if (alone) this.close();
  }

  #takeHtml(line, body, offset) {
    const { end } = this.#html;
    this.#push(line, body, offset);
    if (end?.test(body)) this.close();
  }

  #skipFenced(body, quotes) {
    if (!this.#fence) return false;
    const { mark, length, quotes: quotesOutside } = this.#fence;
    // A block quote that ends takes the fence inside it along (CommonMark 5.1).
    if (quotes < quotesOutside) {
      this.#fence = null;
      return false;
    }
    const text = body.trim();
    if (text.length >= length && text === mark.repeat(text.length)) this.#fence = null;
    return true;
  }

  #isIndentedCode(body) {
    return this.#open.length === 0 && this.#indentsCode(body);
  }

  #indentsCode(body) {
    return !this.#inList && indentOf(body) >= CODE_INDENT;
  }

  /** Take quote and list markers off the front of a line. */
  #strip(line) {
    let [body, quotes, isItem] = [line, 0, false];
    for (let level = 0; ; level += 1) {
      if (level === MAX_CONTAINERS) return { body, quotes, isItem };
      const quote = QUOTE_MARKER.exec(body);
      const item = this.#fence || quote ? null : this.#itemMarker(body);
      const marker = quote ?? item;
      if (!marker) return { body, quotes, isItem };
      if (quote) quotes += 1;
      else isItem = true;
      body = body.slice(marker[0].length);
    }
  }

  #itemMarker(body) {
    if (this.#indentsCode(body) || STANDS_ALONE.test(body.trimEnd())) return null;
    return LIST_MARKER.exec(body);
  }

  #push(line, body, offset) {
    if (this.#open.length === 0) this.#openAt = offset;
    this.#open.push(" ".repeat(line.length - body.length) + body);
  }

  #takeDefinitions(text) {
    let at = 0;
    for (;;) {
      const found = readDefinition(text, at);
      if (!found) return at;
      if (!this.definitions.has(found.label)) this.definitions.set(found.label, found);
      at = found.end;
    }
  }
}

/** Read `[label]: destination "title"` at *at* (CommonMark 4.7); footnotes are something else. */
function readDefinition(text, at) {
  const head = /[ \t]*\[((?:[^\\[\]]|\\.){1,999})\]:[ \t]*\n?[ \t]*/sy;
  head.lastIndex = at;
  const match = head.exec(text);
  if (!match || match[1].trim() === "" || match[1].startsWith("^")) return null;
  const label = normalizeLabel(match[1]);
  const destination = readDestination(text, head.lastIndex);
  if (!destination) return null;
  const { url } = destination;
  const gap = skip(/[ \t]*\n?[ \t]*/y, text, destination.end);
  const title = gap > destination.end ? readTitle(text, gap) : null;
  const endWithTitle = title && lineEnd(text, title.end);
  if (endWithTitle) return { label, url, title: title.title, end: endWithTitle };
  const end = lineEnd(text, destination.end);
  return end && { label, url, title: null, end };
}

function lineEnd(text, at) {
  const match = /[ \t]*(?:\r?\n|$)/y;
  match.lastIndex = at;
  return match.test(text) ? Math.max(match.lastIndex, at) : null;
}

function skip(pattern, text, at) {
  pattern.lastIndex = at;
  pattern.test(text);
  return pattern.lastIndex;
}

/** Columns of white space in front; a tab reaches the next multiple of four (CommonMark 2.2). */
function indentOf(body) {
  let columns = 0;
  for (const character of body) {
    if (character === " ") columns += 1;
    else if (character === "\t") columns += CODE_INDENT - (columns % CODE_INDENT);
    else break;
  }
  return columns;
}
