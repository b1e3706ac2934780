// Which links does a Markdown text have?  CommonMark 0.31, sections 6.1-6.6, and GFM's bare links.

import { readBlocks } from "./blocks.mjs";
import { Pace } from "./pace.mjs";
import { plainText } from "./plain.mjs";
import { normalizeLabel, readInlineTarget, unescapeEntities } from "./targets.mjs";

/** CommonMark 6.3: the longest label, so that `[[[[…` stays linear. */
const MAX_LABEL = 999;
/** How far behind `<a>` its `</a>` is looked for, so that `<a><a><a>…` stays linear. */
const ANCHOR_REACH = 4_000;
const AUTOLINK =
  /<(?:([A-Za-z][A-Za-z0-9+.-]{1,31}:[^\s<>]*)|([\w.!#$%&'*+/=?^`{|}~-]+@[\w-]+(?:\.[\w-]+)*))>/y;
const ATTRIBUTES = /(?:\s+[A-Za-z_:][\w.:-]*(?:\s*=\s*(?:"[^"]*"|'[^']*'|[^\s"'=<>`]+))?)*\s*\/?>/.source;
const TAG = new RegExp(`<(a|img)(${ATTRIBUTES})`, "iy");
const OTHER_TAG = new RegExp(`</?[A-Za-z][\\w-]*${ATTRIBUTES}|<!--(?:(?!-->)[^])*-->`, "y");
const ATTRIBUTE = /([A-Za-z_:][\w.:-]*)\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'=<>`]+))/g;
/** GFM 6.9: what may stand before a bare link, and how it begins. */
const BARE = /(?<=^|[\s*_~(])(?:https?:\/\/|www\.)[^\s<]+/gi;
/** HTML's longest, `&CounterClockwiseContourIntegral;`. */
const LONGEST_ENTITY = 33;
const SPECIAL = /[\\`<![\]]/g;

/**
 * @param {string} markdown
 * @param {AbortSignal} [signal]
 * @returns {Promise<{text: string, url: string, title: string | null, line: number,
 *   kind: "inline" | "reference" | "autolink" | "image" | "html"}[]>} In order of appearance.
 */
export async function extractLinks(markdown, signal) {
  const pace = new Pace(signal);
  const { runs, definitions } = readBlocks(markdown);
  const found = [];
  for (const run of runs)
    for (const link of await new InlineReader(run, definitions).read(pace)) found.push(link);
  found.sort((one, other) => one.start - other.start);
  let [line, counted] = [1, 0];
  return found.map(({ start, text, url, title, kind }) => {
    for (; counted < start; counted += 1) if (markdown[counted] === "\n") line += 1;
    return { text, url, title, line, kind };
  });
}

/** Reads one run of prose: left to right, with a stack of the brackets that are open. */
class InlineReader {
  #text;
  #base;
  #htmlOnly;
  #definitions;
  #found = [];
  #taken = [];
  #brackets = [];
  #backticks = null;

  constructor({ start, text, html }, definitions) {
    this.#text = text;
    this.#base = start;
    this.#htmlOnly = html;
    this.#definitions = definitions;
  }

  async read(pace) {
    const text = this.#text;
    let at = 0;
    for (;;) {
      if (pace.due) await pace.turn();
      SPECIAL.lastIndex = at;
      const special = SPECIAL.exec(text);
      if (!special) break;
      at = this.#step(special.index, special[0]);
    }
    if (!this.#htmlOnly) this.#readBare();
    return this.#found;
  }

  #step(at, character) {
    if (character === "<") return this.#readAngle(at);
    if (this.#htmlOnly) return at + 1;
    if (character === "\\") return at + 2;
    if (character === "`") return this.#skipCode(at);
    if (character === "]") return this.#closeBracket(at);
    const isImage = character === "!";
    if (isImage && this.#text[at + 1] !== "[") return at + 1;
    const inside = at + (isImage ? 2 : 1);
    this.#brackets.push({ at, inside, isImage, active: true });
    return inside;
  }

  /** Skip a code span; a run of backticks without a partner is text (CommonMark 6.1). */
  #skipCode(at) {
    this.#backticks ??= runsOfBackticks(this.#text);
    const length = runLength(this.#text, at);
    const starts = this.#backticks.get(length) ?? [];
    while (starts.length > 0 && starts.at(-1) <= at) starts.pop();
    if (starts.length === 0) return at + length;
    const end = starts.at(-1) + length;
    this.#taken.push([at, end]);
    return end;
  }

  #readAngle(at) {
    const text = this.#text;
    const auto = this.#htmlOnly ? null : matchAt(AUTOLINK, text, at);
    if (auto) {
      const [whole, uri, address] = auto;
      this.#add(at, at + whole.length, {
        text: uri ?? address,
        url: uri ?? `mailto:${address}`,
        title: null,
        kind: "autolink",
      });
      return at + whole.length;
    }
    const tag = matchAt(TAG, text, at);
    if (tag) return this.#readTag(at, tag);
    const other = matchAt(OTHER_TAG, text, at);
    if (!other) return at + 1;
    this.#taken.push([at, at + other[0].length]);
    return at + other[0].length;
  }

  #readTag(at, [whole, name, attributes]) {
    const end = at + whole.length;
    const values = new Map();
    for (const [, key, double, single, bare] of attributes.matchAll(ATTRIBUTE)) {
      if (!values.has(key.toLowerCase()))
        values.set(key.toLowerCase(), unescapeEntities(double ?? single ?? bare));
    }
    const isAnchor = name.toLowerCase() === "a";
    const url = values.get(isAnchor ? "href" : "src");
    this.#taken.push([at, end]);
    if (url === undefined) return end;
    const text = isAnchor ? this.#anchorText(end) : (values.get("alt") ?? "");
    this.#add(at, end, { text, url, title: values.get("title") ?? null, kind: "html" });
    return end;
  }

  #anchorText(from) {
    const rest = this.#text.slice(from, from + ANCHOR_REACH);
    const end = rest.search(/<\/a\s*>/i);
    return end < 0 ? "" : plainText(rest, 0, end);
  }

  #closeBracket(at) {
    const opener = this.#brackets.pop();
    if (!opener || (!opener.active && !opener.isImage)) return at + 1;
    const target = this.#targetAt(opener, at);
    if (!target) return at + 1;
    const text = plainText(this.#text, opener.inside, at);
    const { url, title, kind, end } = target;
    this.#add(opener.at, end, { text, url, title, kind: opener.isImage ? "image" : kind });
    // A link holds no links (CommonMark 6.3): what is open around this one cannot become one.
    if (!opener.isImage) for (const bracket of this.#brackets) if (!bracket.isImage) bracket.active = false;
    return end;
  }

  #targetAt({ inside }, at) {
    const text = this.#text;
    if (text[at + 1] === "(") {
      const target = readInlineTarget(text, at + 1);
      if (target) return { ...target, kind: "inline" };
    }
    const own = at - inside <= MAX_LABEL ? text.slice(inside, at) : "";
    const label = text[at + 1] === "[" ? matchAt(/\[((?:[^\\[\]]|\\.){0,999})\]/sy, text, at + 1) : null;
    const written = label && label[1].trim() !== "" ? label[1] : own;
    const definition = this.#definitions.get(normalizeLabel(written));
    if (!definition || (!label && /(?:^|[^\\])(?:\\\\)*\[/.test(own))) return null;
    return { ...definition, kind: "reference", end: at + 1 + (label ? label[0].length : 0) };
  }

  /** Find what GFM links without any markup, in the text that nothing else has taken. */
  #readBare() {
    const taken = mergeSpans(this.#taken);
    let next = 0;
    for (const match of this.#text.matchAll(BARE)) {
      while (next < taken.length && taken[next][1] <= match.index) next += 1;
      const [start] = taken[next] ?? [Infinity];
      if (start <= match.index) continue;
      const url = trimBare(match[0].slice(0, start - match.index));
      if (!url || !/^(?:https?:\/\/|www\.)[^/?#]*[\w-]\.?[\w-]/i.test(url)) continue;
      const target = /^www\./i.test(url) ? `http://${url}` : url;
      this.#add(match.index, match.index + url.length, {
        text: url,
        url: unescapeEntities(target),
        title: null,
        kind: "autolink",
      });
    }
  }

  #add(start, end, link) {
    this.#taken.push([start, end]);
    this.#found.push({ start: this.#base + start, ...link });
  }
}

/** GFM 6.9: punctuation and an unmatched parenthesis at the end are not part of a bare link. */
function trimBare(link) {
  let surplus = count(link, ")") - count(link, "(");
  let end = link.length;
  for (; end > 0; end -= 1) {
    const last = link[end - 1];
    if (last === ")" && surplus > 0) surplus -= 1;
    else if (last === ";") {
      const entity = /&[A-Za-z0-9]+;$/.exec(link.slice(Math.max(0, end - LONGEST_ENTITY), end));
      if (!entity) break;
      end -= entity[0].length - 1;
    } else if (!"?!.,:*_~'\"".includes(last)) break;
  }
  return link.slice(0, end);
}

function count(text, character) {
  return text.split(character).length - 1;
}

/** Where the runs of each length start, the last one first. */
function runsOfBackticks(text) {
  const runs = new Map();
  for (const { 0: run, index } of text.matchAll(/`+/g)) {
    if (!runs.has(run.length)) runs.set(run.length, []);
    runs.get(run.length).push(index);
  }
  for (const starts of runs.values()) starts.reverse();
  return runs;
}

function runLength(text, at) {
  let end = at;
  while (text[end] === "`") end += 1;
  return end - at;
}

function mergeSpans(spans) {
  const merged = [];
  for (const [start, end] of spans.sort((one, other) => one[0] - other[0])) {
    const last = merged.at(-1);
    if (last && start <= last[1]) last[1] = Math.max(last[1], end);
    else merged.push([start, end]);
  }
  return merged;
}

function matchAt(pattern, text, at) {
  pattern.lastIndex = at;
  return pattern.exec(text);
}
