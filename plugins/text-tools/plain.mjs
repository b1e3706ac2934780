// What does a reader see of a piece of inline Markdown?

import { unescape } from "./targets.mjs";

/** Longest text reported of one link: nested images would otherwise repeat it for each level. */
const MAX_TEXT = 1_000;
const TOKEN = new RegExp(
  [
    /\\[!-/:-@[-`{-~]/, // an escape
    /(`+)(?!`)([^`]|[^`][^]*?[^`])\1(?!`)/, // code
    /<[A-Za-z][A-Za-z0-9+.-]{1,31}:[^\s<>]*>/, // an autolink
    /<\/?[A-Za-z][^<>]*>/, // a tag
    /!?\[/,
    /\]\([^()\s]*(?:\s+(?:"[^"]*"|'[^']*'))?\)/, // an inline target
    /\]\[[^[\]]*\]|\]/,
    /\*+|_+|~~/,
  ]
    .map(({ source }) => source)
    .join("|"),
  "g",
);
const WORD = /[\p{L}\p{N}]/u;

/** Return the text of *markdown* between two offsets, without its markers, escapes and tags. */
export function plainText(markdown, start, end) {
  const text = markdown.slice(start, Math.min(end, start + MAX_TEXT));
  const pieces = [];
  const marks = { "*": [], _: [], "~": [], "[": [] };
  let at = 0;
  for (const match of text.matchAll(TOKEN)) {
    pieces.push(text.slice(at, match.index));
    pieces.push(readToken(text, match, pieces, marks));
    at = match.index + match[0].length;
  }
  pieces.push(text.slice(at));
  return unescape(pieces.join("")).replace(/\s+/g, " ").trim();
}

/** Return what stands for a token; a marker that finds its partner takes both away. */
function readToken(text, { 0: token, 2: code, index }, pieces, marks) {
  if (code !== undefined) return code.replaceAll("\\", "\\\\"); // no escapes in code
  const first = token[0];
  if (first === "<") return /^<[^\s/>]*:/.test(token) ? token.slice(1, -1) : "";
  if (token.endsWith("[")) {
    marks["["].push(pieces.length);
    return token;
  }
  if (first === "]") {
    const opener = marks["["].pop();
    if (opener === undefined || token === "]") return token;
    pieces[opener] = "";
    return "";
  }
  return first in marks ? readEmphasis(text, token, index, pieces, marks[first]) : token;
}

function readEmphasis(text, token, index, pieces, openers) {
  const [before, behind] = [text[index - 1] ?? " ", text[index + token.length] ?? " "];
  const inWord = token[0] === "_" && WORD.test(before) && WORD.test(behind);
  const opener = openers.at(-1);
  if (!inWord && /\S/.test(before) && opener?.token === token) {
    openers.pop();
    pieces[opener.piece] = "";
    return "";
  }
  if (!inWord && /\S/.test(behind)) openers.push({ token, piece: pieces.length });
  return token;
}
