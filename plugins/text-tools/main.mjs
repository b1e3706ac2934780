// Five tools for texts; each lives in the module that its import names.

import { plugin } from "@plughost/sdk";

import { diffTexts } from "./diff.mjs";
import { extractLinks } from "./links.mjs";
import { slugify } from "./slug.mjs";
import { countText, estimateReading, WORDS_PER_MINUTE } from "./words.mjs";

const text = { type: "string", description: "The text, in any language." };
const count = (description) => ({ type: "integer", minimum: 0, description });

plugin.tool(
  "slugify",
  {
    title: "Slugify",
    description: "Turn a title into a slug for URLs and file names: lower-case words joined by a separator.",
    input: {
      type: "object",
      properties: {
        text: { type: "string", minLength: 1, description: "The title." },
        separator: {
          type: "string",
          pattern: "^[-_.~]{0,3}$",
          default: "-",
          description: "What joins the words: up to three of - _ . ~, or nothing.",
        },
        max_length: {
          type: "integer",
          minimum: 1,
          maximum: 1000,
          description: "The longest slug, in characters; words are dropped whole where possible.",
        },
        unicode: {
          type: "boolean",
          default: false,
          description: "Keep letters of every script; otherwise Latin, Greek and Cyrillic become ASCII.",
        },
      },
      required: ["text"],
      additionalProperties: false,
    },
    output: { type: "string", description: "The slug." },
    idempotent: true,
  },
  ({ text: title, separator, max_length: maxLength, unicode }) =>
    slugify(title, { separator, maxLength, unicode }),
);

plugin.tool(
  "word_count",
  {
    title: "Word count",
    description:
      "Count a text's words, characters, sentences, lines and paragraphs; right for CJK and emoji too.",
    input: { type: "object", properties: { text }, required: ["text"], additionalProperties: false },
    output: {
      type: "object",
      properties: {
        words: count("Words by Unicode's rules; Chinese and Japanese by dictionary."),
        characters: count("What a reader takes for one character, such as an emoji of several code points."),
        sentences: count("Sentences that have a letter or a digit."),
        lines: count("Lines; a line end at the very end begins no new one."),
        paragraphs: count("Blocks separated by blank lines."),
      },
      required: ["words", "characters", "sentences", "lines", "paragraphs"],
    },
    idempotent: true,
  },
  ({ text: counted }, ctx) => countText(counted, ctx.signal),
);

plugin.tool(
  "reading_time",
  {
    title: "Reading time",
    description: "Estimate how long silent reading of a text takes.",
    input: {
      type: "object",
      properties: {
        text,
        words_per_minute: {
          type: "number",
          minimum: 1,
          maximum: 10_000,
          default: WORDS_PER_MINUTE,
          description: "The reader's speed; the default is the mean for English non-fiction.",
        },
      },
      required: ["text"],
      additionalProperties: false,
    },
    output: {
      type: "object",
      properties: {
        words: count("Words of the text."),
        words_per_minute: { type: "number", description: "The speed that was assumed." },
        seconds: count("The time, in whole seconds."),
        minutes: count("The time in minutes, rounded up."),
      },
      required: ["words", "words_per_minute", "seconds", "minutes"],
    },
    idempotent: true,
  },
  ({ text: read, words_per_minute: speed = WORDS_PER_MINUTE }, ctx) =>
    estimateReading(read, speed, ctx.signal),
);

plugin.tool(
  "extract_links",
  {
    title: "Extract links",
    description:
      "List the links and images of a Markdown text with their targets and lines; code is skipped.",
    input: {
      type: "object",
      properties: { markdown: { type: "string", description: "CommonMark, with GFM's bare links." } },
      required: ["markdown"],
      additionalProperties: false,
    },
    output: {
      type: "array",
      description: "The links, in order of appearance.",
      items: {
        type: "object",
        properties: {
          text: { type: "string", description: "What a reader sees; an image's alternative text." },
          url: { type: "string", description: "The target as written, escapes undone." },
          title: { type: ["string", "null"], description: "The title, if there is one." },
          line: { type: "integer", minimum: 1, description: "The line the link begins on." },
          kind: {
            enum: ["inline", "reference", "autolink", "image", "html"],
            description: "How it is written; html covers <a href> and <img src>.",
          },
        },
        required: ["text", "url", "title", "line", "kind"],
      },
    },
    idempotent: true,
  },
  ({ markdown }, ctx) => extractLinks(markdown, ctx.signal),
);

plugin.tool(
  "diff",
  {
    title: "Diff",
    description: "Compare two texts line by line: a unified diff, and how many lines were added and removed.",
    input: {
      type: "object",
      properties: {
        before: { type: "string", description: "The old text." },
        after: { type: "string", description: "The new text." },
        context: {
          type: "integer",
          minimum: 0,
          maximum: 1000,
          default: 3,
          description: "Unchanged lines shown around each change.",
        },
      },
      required: ["before", "after"],
      additionalProperties: false,
    },
    output: {
      type: "object",
      properties: {
        diff: {
          type: "string",
          description: "The unified diff, as `diff -u` and `patch` know it; empty if nothing changed.",
        },
        added: count("Lines only the new text has."),
        removed: count("Lines only the old text has."),
        hunks: count("Places that changed."),
        identical: { type: "boolean", description: "Whether the texts are the same." },
      },
      required: ["diff", "added", "removed", "hunks", "identical"],
    },
    idempotent: true,
  },
  ({ before, after, context }, ctx) => diffTexts(before, after, { context, signal: ctx.signal }),
);

plugin.run();
