// Loads one plugin: node [flags] STAGED/runner.mjs PLUGIN_DIR ENTRY
//
// A plugin writes `import { plugin } from "@plughost/sdk"` and has not installed it.  ESM
// ignores NODE_PATH, and loader hooks cost 30-40 ms, so the host stages a folder:
//
//   STAGED/runner.mjs                     this file, as a symlink or a copy
//   STAGED/node_modules/@plughost/sdk     symlink to the folder of this file
//   STAGED/plugin                         symlink to PLUGIN_DIR
//
// and starts node with --preserve-symlinks --preserve-symlinks-main.  The entry then *is*
// STAGED/plugin/ENTRY: its imports are looked up in its own node_modules first, then in
// STAGED/node_modules, where this file finds the same instance of the SDK.
// Without a stage beside it (a checkout, by hand) the runner loads PLUGIN_DIR/ENTRY itself.

import { existsSync, readFileSync } from "node:fs";

// Guards the wire before a line of the plugin runs.
import "@plughost/sdk";

/** Wire §11.2: this can never work until a file changes. */
const EXIT_UNUSABLE = 78;
const EXIT_FAILED = 1;
const EXIT_BY_HAND = 64;
/** Half of the default start_timeout_s: an entry may call run() late, but not never. */
const RUN_WITHIN_MS = 5_000;
const RUNNING = Symbol.for("plughost.running");

const [folder, entry] = process.argv.slice(2);
if (folder === undefined || entry === undefined) {
  leave(EXIT_BY_HAND, "usage: node runner.mjs PLUGIN_DIR ENTRY; `plughost call` does it for you");
}
const stage = new URL("./plugin/", import.meta.url);
const base = existsSync(stage) ? stage : new URL(`file://${encodePath(folder)}/`);
const url = new URL(encodePath(entry), base);
// What process.argv looks like when the entry is started by hand.
process.argv.splice(1, 3, `${folder}/${entry}`);

if (!existsSync(url))
  leave(EXIT_UNUSABLE, `${folder}/${entry}: the entry does not exist; correct \`entry\` in plugin.toml`);

try {
  await import(url.href);
} catch (thrown) {
  const { explainFailure } = await import("@plughost/sdk/explain");
  const { unusable, words } = await explainFailure(thrown, url, `${folder}/`);
  leave(unusable ? EXIT_UNUSABLE : EXIT_FAILED, words);
}
if (!globalThis[RUNNING]) {
  process.once("beforeExit", explainNotRunning);
  setTimeout(explainNotRunning, RUN_WITHIN_MS).unref();
}

function explainNotRunning() {
  if (globalThis[RUNNING]) return;
  const lines = readFileSync(url, "utf8").trimEnd().split("\n").length;
  leave(
    EXIT_UNUSABLE,
    `${folder}/${entry}:${lines}: the entry ends without plugin.run(); make it the last line`,
  );
}

function encodePath(path) {
  return path.split("/").map(encodeURIComponent).join("/");
}

function leave(status, words) {
  process.stderr.write(`plughost: ${words}\n`);
  process.exit(status);
}
