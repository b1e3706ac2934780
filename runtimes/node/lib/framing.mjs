// Where does one message end, and what kind of message is it?  No I/O here.

import { isUtf8 } from "node:buffer";

const LF = 0x0a;
const CR = 0x0d;
/** Enough for the jsonrpc, id and method members that stand first in every writer's line. */
const HEAD_BYTES = 256;
/** The members in the order JSON-RPC writers use: an id further inside may be somebody's data. */
const HEAD =
  /^\s*\{\s*"jsonrpc"\s*:\s*"2\.0"\s*,\s*"id"\s*:\s*(?:(-?\d{1,15})|"([^"\\]{1,128})")\s*,\s*"(method|result|error)"/;

/** Cuts bytes into lines, whatever sizes the chunks arrive in. */
export class LineSplitter {
  #parts = [];
  #held = 0;
  #discarding = false;

  /**
   * @param {number} maxBytes A line's longest length, its LF included; may be raised later.
   * @param {(line: Buffer) => void} onLine
   * @param {(head: Buffer) => void} onOversize Called once for each line that is too long.
   */
  constructor(maxBytes, onLine, onOversize) {
    this.maxBytes = maxBytes;
    this.onLine = onLine;
    this.onOversize = onOversize;
  }

  /** Take what was read; the caller may reuse the chunk's memory afterwards. */
  feed(chunk) {
    let start = 0;
    for (;;) {
      const end = chunk.indexOf(LF, start);
      if (end < 0) break;
      this.#finish(chunk.subarray(start, end));
      start = end + 1;
    }
    if (start < chunk.length) this.#hold(chunk.subarray(start));
  }

  #finish(tail) {
    this.#accept(tail, 1);
    const line = this.#parts.length > 1 ? Buffer.concat(this.#parts) : this.#parts[0];
    const whole = !this.#discarding;
    this.#parts = [];
    this.#held = 0;
    this.#discarding = false;
    if (whole && !isBlank(line)) this.onLine(line);
  }

  #hold(piece) {
    if (this.#accept(piece, 0)) this.#parts[this.#parts.length - 1] = Buffer.from(piece);
  }

  #accept(piece, lfBytes) {
    if (this.#discarding) return false;
    this.#parts.push(piece);
    this.#held += piece.length;
    if (this.#held + lfBytes <= this.maxBytes) return true;
    const head = Buffer.concat(this.#parts.slice(0, HEAD_BYTES)).subarray(0, HEAD_BYTES);
    this.#parts = [];
    this.#discarding = true;
    this.onOversize(head);
    return false;
  }
}

/**
 * Say what a line is.
 *
 * @returns {{kind: "request" | "notification" | "response", message: object}
 *   | {kind: "noise", why: string}}
 */
export function classify(line) {
  if (!isUtf8(line)) return noise("not UTF-8");
  let message;
  try {
    message = JSON.parse(line.toString("utf8"));
  } catch {
    return noise("not JSON");
  }
  if (typeof message !== "object" || message === null || Array.isArray(message)) {
    return noise("not a JSON object");
  }
  if (message.jsonrpc !== "2.0") return noise('no "jsonrpc": "2.0"');
  const hasId = Object.hasOwn(message, "id");
  if (hasId && !isId(message.id)) return noise("its id is neither a string nor an integer below 2^53");
  if (typeof message.method === "string") {
    return { kind: hasId ? "request" : "notification", message };
  }
  const answers = Object.hasOwn(message, "result") !== Object.hasOwn(message, "error");
  return hasId && answers ? { kind: "response", message } : noise("neither a request nor an answer");
}

/** Return whose message the head of an oversize line began, if it says so. */
export function readHead(head) {
  const match = HEAD.exec(head.toString("utf8"));
  if (!match) return null;
  return { id: match[1] === undefined ? match[2] : Number(match[1]), isRequest: match[3] === "method" };
}

export function isId(value) {
  return typeof value === "string" || Number.isSafeInteger(value);
}

/** Tell whether a parsed value is an object and not an array. */
export function isObject(value) {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isBlank(line) {
  return line.length === 0 || (line.length === 1 && line[0] === CR);
}

function noise(why) {
  return { kind: "noise", why };
}
