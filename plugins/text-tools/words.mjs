// How long is a text, for a reader?

import { Pace } from "./pace.mjs";

/** Silent reading of English non-fiction, mean of 190 studies: Brysbaert 2019, J. Mem. Lang. 109. */
export const WORDS_PER_MINUTE = 238;
/** Code units a segmenter is given at once: V8 needs time that grows with their square. */
const WINDOW_LENGTH = 2_048;
/**
 * Segments at the end of a window that what follows may still change: a sentence looks ahead over
 * its closing quotes, a character over its marks, and the CJK dictionary weighs a few words.
 */
const UNSETTLED = { word: 8, sentence: 2, grapheme: 2 };

/**
 * Count what a reader sees, by Unicode's rules (UAX #29), so that CJK and emoji are right.
 *
 * @param {string} text
 * @param {AbortSignal} [signal]
 */
export async function countText(text, signal) {
  const pace = new Pace(signal);
  return {
    words: await countSegments(text, "word", ({ isWordLike }) => isWordLike, pace),
    characters: await countCharacters(text, pace),
    sentences: await countSegments(text, "sentence", ({ segment }) => /[\p{L}\p{N}]/u.test(segment), pace),
    lines: countLines(text),
    paragraphs: text.split(/\n[^\S\n]*(?:\n[^\S\n]*)+/).filter((part) => part.trim() !== "").length,
  };
}

/** Count words and say how long reading them takes. */
export async function estimateReading(text, wordsPerMinute, signal) {
  const words = await countSegments(text, "word", ({ isWordLike }) => isWordLike, new Pace(signal));
  const seconds = Math.round((words / wordsPerMinute) * 60);
  return { words, words_per_minute: wordsPerMinute, seconds, minutes: Math.ceil(seconds / 60) };
}

async function countCharacters(text, pace) {
  // ASCII has one character a code unit, but for CR LF, which is one.
  if (/^[\x00-\x7f]*$/.test(text)) return text.length - (text.match(/\r\n/g)?.length ?? 0);
  return countSegments(text, "grapheme", () => true, pace);
}

async function countSegments(text, granularity, counts, pace) {
  const segmenter = new Intl.Segmenter("und", { granularity });
  let [count, start, length] = [0, 0, WINDOW_LENGTH];
  while (start < text.length) {
    if (pace.due) await pace.turn();
    const window = text.slice(start, start + length);
    const segments = [...segmenter.segment(window)];
    const isLast = start + window.length === text.length;
    const settled = isLast ? segments.length : segments.length - UNSETTLED[granularity];
    if (settled <= 0) {
      length *= 2; // one segment fills the window: a sentence without end
      continue;
    }
    for (let index = 0; index < settled; index += 1) if (counts(segments[index])) count += 1;
    start = isLast ? text.length : start + segments[settled].index;
    length = WINDOW_LENGTH;
  }
  return count;
}

function countLines(text) {
  if (text === "") return 0;
  const ends = text.match(/\r\n|\r|\n/g)?.length ?? 0;
  return /[\r\n]$/.test(text) ? ends : ends + 1;
}
