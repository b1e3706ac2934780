// What does a title look like in a URL?

import { ToolError } from "@plughost/sdk";

/** Letters that Unicode does not decompose into a base letter and marks, each with its ASCII. */
const LATIN = "ß:ss æ:ae œ:oe ø:o đ:d ð:d þ:th ł:l ħ:h ı:i ŋ:ng ŧ:t";
/** ISO 843, without its marks. */
const GREEK =
  "α:a β:v γ:g δ:d ε:e ζ:z η:i θ:th ι:i κ:k λ:l μ:m ν:n ξ:x ο:o π:p ρ:r σ:s ς:s τ:t υ:y φ:f χ:ch ψ:ps ω:o";
/** The BGN/PCGN romanisation in its simplest form. */
const CYRILLIC =
  "а:a б:b в:v г:g д:d е:e ё:e ж:zh з:z и:i й:y к:k л:l м:m н:n о:o п:p р:r с:s т:t у:u ф:f х:kh ц:ts " +
  "ч:ch ш:sh щ:shch ъ: ы:y ь: э:e ю:yu я:ya і:i ї:yi є:ye ґ:g";
const LETTERS = new Map(`${LATIN} ${GREEK} ${CYRILLIC}`.split(" ").map((pair) => pair.split(":")));
/** `don't` is one word, and so is `l’été`. */
const APOSTROPHES = /['’ʼ`´]/gu;

/**
 * Return *text* as a slug: lower-case words joined by *separator*.
 *
 * @param {string} text
 * @param {{separator?: string, maxLength?: number, unicode?: boolean}} options *maxLength* counts
 *   characters a reader sees; words are dropped whole where possible.
 */
export function slugify(text, { separator = "-", maxLength = Infinity, unicode = false } = {}) {
  const plain = unicode ? text.normalize("NFKC").toLowerCase() : toAscii(text);
  const words = plain.replace(APOSTROPHES, "").match(unicode ? /[\p{L}\p{M}\p{N}]+/gu : /[a-z0-9]+/g);
  if (words === null)
    throw new ToolError(whyEmpty(text, unicode), { details: { text: text.slice(0, 80).toWellFormed() } });
  return fit(words, separator, maxLength);
}

function toAscii(text) {
  let ascii = "";
  for (const character of text.toLowerCase().normalize("NFKC")) {
    ascii += LETTERS.get(character) ?? withoutMarks(character);
  }
  return ascii;
}

function withoutMarks(character) {
  const base = character.normalize("NFKD").replace(/\p{M}/gu, "");
  return LETTERS.get(base) ?? base;
}

function fit(words, separator, maxLength) {
  if (maxLength === Infinity) return words.join(separator);
  let [slug, length] = ["", 0];
  for (const word of words) {
    const characters = graphemes(word);
    if (length === 0) {
      slug = characters.slice(0, maxLength).join("");
      length = characters.length;
    } else {
      length += separator.length + characters.length;
      if (length <= maxLength) slug += separator + word;
    }
    if (length >= maxLength) break;
  }
  return slug;
}

function graphemes(word) {
  return Array.from(
    new Intl.Segmenter("und", { granularity: "grapheme" }).segment(word),
    ({ segment }) => segment,
  );
}

function whyEmpty(text, unicode) {
  if (!unicode && /[\p{L}\p{N}]/u.test(text)) {
    return "nothing of the text can be written in ASCII: call again with unicode: true";
  }
  return "the text has no letters or digits to make a slug of";
}
