// Which descriptors carry the wire, and how is user code kept from them?
//
// Under the host they are 3 and 4 (wire §1.1); libuv marks every inherited descriptor
// close-on-exec before any JavaScript runs, so no child of a plugin has them.
// Alone they are 0 and 1.  Node cannot duplicate a descriptor, so 1 stays the wire and
// everything in Node that writes to it is pointed at 2 instead (wire §1.3).

import { createReadStream, fstatSync, readFileSync, writeSync } from "node:fs";

/** sysexits.h EX_USAGE: run by hand (wire §11.2). */
const EXIT_BY_HAND = 64;
/** plugin.toml keeps name and version in its first lines. */
const TOP_LEVEL_KEY = /^(name|version)\s*=\s*"([^"\\]*)"/;

const assigned = process.env.PLUGHOST_WIRE;

/** Whether the host started this process. */
export const underHost = assigned !== undefined;

/** Point `console`, `process.stdout` and `process.stdin` away from the wire. */
export function guardStandardStreams() {
  // node --test talks to its children over their stdout; such a process serves nobody.
  if (underHost || process.env.NODE_TEST_CONTEXT !== undefined) return;
  Object.defineProperty(process, "stdout", {
    configurable: true,
    enumerable: true,
    get: () => process.stderr,
  });
  let nothing;
  Object.defineProperty(process, "stdin", {
    configurable: true,
    enumerable: true,
    get: () => (nothing ??= createReadStream("/dev/null")),
  });
  // A module loaded earlier may have logged: console then holds the old stream.
  Object.defineProperty(console, "_stdout", {
    configurable: true,
    get: () => process.stderr,
  });
}

/** Return the descriptors to serve on; explain and exit when there are none. */
export async function claimDescriptors() {
  // A plugin's own children must not take themselves for plugins of this wire.
  delete process.env.PLUGHOST_WIRE;
  if (underHost) return descriptorsOf(assigned);
  if (isClosed(0) || isClosed(1)) leave("descriptors 0 and 1 are not both open, so nobody can talk to it");
  if (fstatSync(0).isCharacterDevice() && (await import("node:tty")).isatty(0)) {
    leave(
      `this is a plugin: a host talks to it, not a person. ` +
        `Try \`plughost call ${whoAmI().name} TOOL\`, or name it as a stdio server in an MCP client`,
    );
  }
  return { readFd: 0, writeFd: 1 };
}

/** Write a line to the log; a full or closed log never stops the plugin. */
export function logLine(text) {
  try {
    writeSync(2, `${text}\n`);
  } catch {
    // Nobody reads the log any more.
  }
}

/** Return the plugin's name and version: the host's word, else the manifest's beside the entry. */
export function whoAmI() {
  const told = {
    name: process.env.PLUGHOST_PLUGIN ?? "",
    version: process.env.PLUGHOST_PLUGIN_VERSION ?? "",
  };
  if (!told.name || !told.version) {
    const written = readManifest();
    told.name ||= written.name ?? "plugin";
    told.version ||= written.version ?? "0.0.0";
  }
  return told;
}

function readManifest() {
  const found = {};
  try {
    const folder = (process.argv[1] ?? "").replace(/[^/]*$/, "");
    for (const line of readFileSync(`${folder}plugin.toml`, "utf8").split("\n")) {
      if (line.startsWith("[")) break;
      const match = TOP_LEVEL_KEY.exec(line);
      if (match) found[match[1]] = match[2];
    }
  } catch {
    // Run alone, a plugin needs no manifest.
  }
  return found;
}

function descriptorsOf(text) {
  const match = /^(\d{1,4}),(\d{1,4})$/.exec(text);
  if (!match) leave(`PLUGHOST_WIRE is ${JSON.stringify(text)}, not two descriptors such as 3,4`);
  const [readFd, writeFd] = [Number(match[1]), Number(match[2])];
  for (const fd of [readFd, writeFd]) {
    if (!isStream(fd)) {
      leave(
        `PLUGHOST_WIRE names descriptor ${fd}, which is not open as a pipe; only the host sets it, so unset it`,
      );
    }
  }
  return { readFd, writeFd };
}

function isStream(fd) {
  if (isClosed(fd)) return false;
  const status = fstatSync(fd);
  return status.isFIFO() || status.isSocket() || status.isFile();
}

function isClosed(fd) {
  try {
    fstatSync(fd);
    return false;
  } catch {
    return true;
  }
}

function leave(why) {
  logLine(`plughost: ${why}.`);
  process.exit(EXIT_BY_HAND);
}
