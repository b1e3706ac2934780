// What does a tool's return value, or its failure, look like as a result, and back?

import { describe, PlughostError, stackOf, ToolError } from "./errors.mjs";
import { isObject } from "./framing.mjs";
import { findProblem } from "./json.mjs";
import { logLine } from "./descriptors.mjs";

/** Where `result.structuredContent` stands in the message: message, result, it (wire §2.3). */
const STRUCTURED_DEPTH = 3;

/** The members that a content block of each type must have, all strings but `resource` (MCP). */
const BLOCKS = {
  text: ["text"],
  image: ["data", "mimeType"],
  audio: ["data", "mimeType"],
  resource: ["resource"],
  resource_link: ["uri", "name"],
};

/** What `content()` returns: blocks a tool wrote itself (wire §5.5). */
export class Content {
  constructor(blocks, data) {
    this.blocks = blocks;
    this.data = data;
    this.hasData = data !== undefined;
  }
}

/** Wrap content blocks, with or without data beside them. */
export function content(blocks, data) {
  const list = Array.isArray(blocks) ? blocks : [blocks];
  return new Content(
    list.map((block, index) =>
      checkBlock(typeof block === "string" ? { type: "text", text: block } : block, index),
    ),
    data,
  );
}

/**
 * Turn what tool *name* returned into a result (wire §5.3-§5.5).
 *
 * @param {{extensions: boolean, maxBytes: number}} session
 */
export function toResult(name, returned, { extensions, maxBytes }) {
  try {
    if (returned instanceof Content) return fromContent(name, returned, maxBytes);
    const structured = toStructured(name, returned, maxBytes);
    return { content: extensions ? [] : [textOf(structured)], ...structured };
  } catch (thrown) {
    if (!(thrown instanceof NotJson)) throw thrown;
    logLine(`plughost: ${thrown.message}`);
    return toFailure(name, thrown, { place: thrown.place });
  }
}

/** Turn what tool *name* threw into a tool error (wire §5.6). */
export function toFailure(name, thrown, more = {}) {
  const { exception, message, code } = describe(thrown);
  const details = { exception, ...more };
  if (code !== undefined) details.code = code;
  if (thrown instanceof PlughostError) details.type = thrown.type;
  if (thrown instanceof ToolError && isObject(thrown.details)) mergeDetails(name, details, thrown.details);
  const retryable =
    (thrown instanceof ToolError || thrown instanceof PlughostError) && thrown.retryable === true;
  return {
    content: [{ type: "text", text: message }],
    isError: true,
    _meta: { "plughost/error": { type: "tool-error", message, retryable, details } },
  };
}

/** Write to the log what the caller does not see of a failure. */
export function logFailure(what, thrown) {
  // A ToolError is an answer in the tool's own words, not a fault to trace.
  if (thrown instanceof ToolError && thrown.cause === undefined) return;
  logLine(`plughost: ${what} failed: ${stackOf(thrown)}`);
}

/** The failure of a result that is JSON but longer than a message may be. */
export function tooLarge(name, bytes, maxBytes) {
  const error = new NotJson(
    `tool ${JSON.stringify(name)} returned ${bytes} bytes, and a message holds ${maxBytes}: ` +
      "return less, or raise resource_limits.max_message_mb",
    "$",
  );
  logLine(`plughost: ${error.message}`);
  return toFailure(name, error, { place: "$" });
}

/** Return the data of another tool's result: unwrapped; of a plain MCP server, its only text block. */
export function dataOf(result) {
  const blocks = Array.isArray(result.content) ? result.content : [];
  if (result.isError) {
    const told = result._meta?.["plughost/error"] ?? {};
    const words = blocks.find((block) => block?.type === "text")?.text;
    throw new PlughostError(told.message ?? words ?? "the tool failed and did not say why", {
      type: told.type ?? "tool-error",
      retryable: told.retryable === true,
      details: isObject(told.details) ? told.details : {},
    });
  }
  if (isObject(result.structuredContent)) {
    const wrapped = result._meta?.["plughost/wrapped"] === true;
    return wrapped ? result.structuredContent.result : result.structuredContent;
  }
  return blocks.length === 1 && blocks[0]?.type === "text" ? blocks[0].text : blocks;
}

class NotJson extends Error {
  constructor(message, place) {
    super(message);
    this.place = place;
  }
}

function fromContent(name, { blocks, data, hasData }, maxBytes) {
  refuseProblem(name, blocks, { maxBytes, depth: STRUCTURED_DEPTH });
  const structured = hasData ? toStructured(name, data, maxBytes) : {};
  return { content: blocks, ...structured };
}

function toStructured(name, returned, maxBytes) {
  // A Date is an object here and a string on the wire: what it becomes decides.
  const value =
    typeof returned?.toJSON === "function" && !ArrayBuffer.isView(returned) ? returned.toJSON("") : returned;
  if (isObject(value)) {
    refuseProblem(name, value, { maxBytes, depth: STRUCTURED_DEPTH });
    return { structuredContent: value };
  }
  refuseProblem(name, value, { maxBytes, depth: STRUCTURED_DEPTH + 1 });
  return { structuredContent: { result: value ?? null }, _meta: { "plughost/wrapped": true } };
}

function textOf({ structuredContent, _meta: wrapped }) {
  const value = wrapped ? structuredContent.result : structuredContent;
  return { type: "text", text: typeof value === "string" ? value : JSON.stringify(value) };
}

function refuseProblem(name, value, room) {
  let found;
  try {
    found = findProblem(value, room);
  } catch (thrown) {
    found = { place: "$", why: `cannot be read: ${describe(thrown).message}` };
  }
  if (!found) return;
  const tool = `tool ${JSON.stringify(name)} returned something that is not JSON`;
  throw new NotJson(`${tool}: ${found.place} ${found.why}`, found.place);
}

function mergeDetails(name, details, own) {
  let found;
  try {
    found = findProblem(own, { maxBytes: 64 * 1024, depth: STRUCTURED_DEPTH + 3 });
  } catch {
    found = { place: "$", why: "cannot be read" };
  }
  if (found) {
    const what = `tool ${JSON.stringify(name)} threw a ToolError whose details were left out`;
    logLine(`plughost: ${what}: ${found.place} ${found.why}`);
    return;
  }
  for (const key of Object.keys(own)) {
    if (key !== "__proto__" && key !== "exception") details[key] = own[key];
  }
}

function checkBlock(block, index) {
  const type = block?.type;
  if (!Object.hasOwn(BLOCKS, String(type))) {
    throw new TypeError(
      `content block ${index} has the type ${String(type)}, not one of ${Object.keys(BLOCKS).join(", ")}`,
    );
  }
  for (const key of BLOCKS[type]) {
    const fits = key === "resource" ? isObject(block[key]) : typeof block[key] === "string";
    if (!fits) throw new TypeError(`content block ${index} is of type ${type} and lacks ${key}`);
  }
  return block;
}
