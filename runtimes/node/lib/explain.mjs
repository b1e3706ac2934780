// Why did an entry not load?  Imported only after it failed: nothing here costs a healthy start.

import { readFileSync } from "node:fs";
import { Session } from "node:inspector";

import { describe, stackOf } from "./errors.mjs";

/** A plugin's own modules that are looked at for a syntax error; real plugins have a dozen. */
const MAX_MODULES = 200;
const RELATIVE_IMPORT = /(?:\bfrom\s*|\bimport\s*\(?\s*)["'](\.{1,2}\/[^"'\n]+)["']/g;
/** `path:line` as the first line of a stack, which Node writes for CommonJS and missing exports. */
const PLACE = /^((?:file:\/\/)?\/[^\n]*):(\d+)\n/;

/**
 * Put a failed import into words.
 *
 * @param {unknown} thrown
 * @param {URL} entry
 * @param {string} folder The plugin's folder with a slash, for readable paths.
 * @returns {Promise<{unusable: boolean, words: string}>} *unusable*: it fails until a file changes.
 */
export async function explainFailure(thrown, entry, folder) {
  const place = thrown instanceof SyntaxError ? await findSyntaxError(thrown, entry) : null;
  if (!place)
    return { unusable: false, words: `${readable(entry, folder)} failed to load: ${stackOf(thrown)}` };
  const { message } = describe(thrown);
  return { unusable: true, words: `${readable(place.url, folder)}:${place.line}: syntax error: ${message}` };

  function readable(url) {
    const path = decodeURIComponent(new URL(url).pathname);
    const root = decodeURIComponent(new URL(".", entry).pathname);
    return path.startsWith(root) ? folder + path.slice(root.length) : path;
  }
}

/** Return where the modules do not parse; null for a SyntaxError that code threw as it ran. */
async function findSyntaxError(thrown, entry) {
  const told = PLACE.exec(thrown.stack ?? "");
  if (told) return { url: new URL(told[1].replace(/^\//, "file:///")).href, line: Number(told[2]) };
  const seen = new Set([entry.href]);
  for (const url of seen) {
    const text = textOf(url);
    const error = await parseOnly(text);
    if (error) return { url, line: lineOf(error) };
    for (const [, specifier] of text.matchAll(RELATIVE_IMPORT)) {
      if (seen.size < MAX_MODULES) seen.add(new URL(specifier, url).href);
    }
  }
  return null;
}

/**
 * Parse a module without running it.
 *
 * Node 20 keeps the place of an ESM syntax error to itself.  A `data:` module cannot import a
 * relative path, so this one parses and then fails to link: it never runs.
 */
async function parseOnly(text) {
  try {
    await import(
      `data:text/javascript,${encodeURIComponent(text)}${encodeURIComponent('\nimport "./never";')}`
    );
  } catch (thrown) {
    if (thrown instanceof SyntaxError) return thrown;
  }
  return null;
}

/** Ask V8, which knows the line of a SyntaxError and shows it only to a debugger. */
function lineOf(error) {
  const session = new Session();
  session.connect();
  const key = "plughost.failed";
  globalThis[key] = error;
  let line = 1;
  session.post("Runtime.evaluate", { expression: `globalThis["${key}"]` }, (_failed, found) => {
    session.post(
      "Runtime.getExceptionDetails",
      { errorObjectId: found.result.objectId },
      (_refused, details) => {
        line = details.exceptionDetails.lineNumber + 1;
      },
    );
  });
  delete globalThis[key];
  session.disconnect();
  return line;
}

function textOf(url) {
  try {
    return readFileSync(new URL(url), "utf8");
  } catch {
    return "";
  }
}
