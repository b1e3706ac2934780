// Where does a Markdown link point?  Destinations, titles and labels, CommonMark 0.31, section 6.3.

/** CommonMark asks for at least three levels; 32 is what its reference implementation takes. */
const MAX_PARENTHESES = 32;
const ESCAPED = /\\([!-/:-@[-`{-~])/g;
const ENTITY = /&(?:#(\d{1,7})|#[xX]([0-9a-fA-F]{1,6})|(amp|lt|gt|quot|apos|nbsp));/g;
const NAMED = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'", nbsp: "\u00a0" };
const TITLES = {
  '"': /"((?:[^"\\]|\\.)*)"/sy,
  "'": /'((?:[^'\\]|\\.)*)'/sy,
  "(": /\(((?:[^()\\]|\\.)*)\)/sy,
};

/** Read a destination at *at*: `<in brackets>`, or bare with balanced parentheses. */
export function readDestination(text, at) {
  if (text[at] === "<") {
    const bracketed = /<((?:[^<>\\\n]|\\.)*)>/y;
    bracketed.lastIndex = at;
    const match = bracketed.exec(text);
    return match && { url: unescape(match[1]), end: bracketed.lastIndex };
  }
  let [end, depth] = [at, 0];
  for (; end < text.length; end += 1) {
    const character = text[end];
    if (character <= " " || character === "\u007f") break;
    if (character === "\\" && /[!-/:-@[-`{-~]/.test(text[end + 1] ?? "")) end += 1;
    else if (character === "(" && ++depth > MAX_PARENTHESES) return null;
    else if (character === ")" && --depth < 0) break;
  }
  return end === at || depth > 0 ? null : { url: unescape(text.slice(at, end)), end };
}

/** Read a title in quotes or parentheses at *at*. */
export function readTitle(text, at) {
  const pattern = Object.hasOwn(TITLES, text[at] ?? "") ? TITLES[text[at]] : null;
  if (!pattern) return null;
  pattern.lastIndex = at;
  const match = pattern.exec(text);
  return match && { title: unescape(match[1]), end: pattern.lastIndex };
}

/** Read `(destination "title")` at *at*, the tail of an inline link; the destination may be empty. */
export function readInlineTarget(text, at) {
  const start = skipSpace(text, at + 1);
  const destination = readDestination(text, start) ?? { url: "", end: start };
  const gap = skipSpace(text, destination.end);
  const title = gap > destination.end ? readTitle(text, gap) : null;
  const end = title ? skipSpace(text, title.end) : gap;
  if (text[end] !== ")") return null;
  return { url: destination.url, title: title ? title.title : null, end: end + 1 };
}

/** Two labels are the same link when these are equal. */
export function normalizeLabel(label) {
  // Lower then upper is the case fold that JavaScript has: it makes ẞ, ß and SS equal.
  return label.trim().replace(/\s+/g, " ").toLowerCase().toUpperCase();
}

/** Undo backslash escapes, and entities. */
export function unescape(text) {
  return unescapeEntities(text.replace(ESCAPED, "$1"));
}

/** Undo the entities that occur in links; HTML's two thousand others stay as they are. */
export function unescapeEntities(text) {
  return text.replace(ENTITY, (whole, decimal, hexadecimal, name) => {
    if (name) return NAMED[name];
    const code = decimal ? Number(decimal) : Number.parseInt(hexadecimal, 16);
    return code === 0 || code > 0x10ffff ? "\ufffd" : String.fromCodePoint(code).toWellFormed();
  });
}

function skipSpace(text, at) {
  const space = /[ \t\r\n]*/y;
  space.lastIndex = at;
  space.test(text);
  return space.lastIndex;
}
