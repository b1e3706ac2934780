// Which errors does a plugin throw and catch, and how is any thrown value put into words?

/** Frames kept at each end of a stack: runtimes/README.md, "An SDK", 3. */
const STACK_FRAMES_AT_EACH_END = 20;
/** Characters of one line of a stack: the host cuts log lines at 8 KiB (wire §8). */
const STACK_LINE_CHARACTERS = 2_000;
/** Characters of an error's message that travel to the caller; the log has the rest. */
const MESSAGE_CHARACTERS = 4_000;

/** A failure the tool reports on purpose; the caller sees message, retryable and details. */
export class ToolError extends Error {
  constructor(message, { retryable = false, details = {}, cause } = {}) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = "ToolError";
    this.retryable = retryable;
    this.details = details;
  }
}

/** A failure of something the plugin asked the host for; `type` is a name of contracts/errors.json. */
export class PlughostError extends Error {
  constructor(message, { type = "internal", retryable = false, details = {}, code } = {}) {
    super(message);
    this.name = "PlughostError";
    this.type = type;
    this.retryable = retryable;
    this.details = details;
    if (code !== undefined) this.code = code;
  }
}

/** What a waiting `ctx` method throws when the call it serves was cancelled. */
export class CancelledError extends PlughostError {
  constructor(reason) {
    super(reason ? `the call was cancelled: ${reason}` : "the call was cancelled", {
      type: "cancelled",
      retryable: true,
    });
    this.name = "CancelledError";
  }
}

/** A JSON-RPC error answer (wire §3.5); never leaves the SDK. */
export class Refusal extends Error {
  constructor(code, message, type, { retryable = false, data } = {}) {
    super(message);
    this.code = code;
    this.data = data ?? (type ? { type, message, retryable } : undefined);
  }
}

/**
 * Put whatever was thrown into words.
 *
 * A thrown value belongs to the plugin: its getters and its `toString` may throw too.
 */
export function describe(thrown) {
  const told = { exception: typeof thrown, message: "", code: undefined };
  try {
    if (thrown instanceof Error) {
      told.exception = String(thrown.constructor?.name || thrown.name || "Error");
      told.message = String(thrown.message || told.exception);
      if (typeof thrown.code === "string") told.code = thrown.code;
    } else {
      told.message = String(thrown);
    }
  } catch {
    told.message = "an error that cannot be put into words";
  }
  told.message = told.message.slice(0, MESSAGE_CHARACTERS).toWellFormed();
  return told;
}

/** Return the stack of whatever was thrown, its middle cut out when it is deep. */
export function stackOf(thrown) {
  let stack = "";
  try {
    if (thrown instanceof Error) stack = String(thrown.stack ?? "");
    if (thrown?.cause instanceof Error) stack += `\ncaused by ${String(thrown.cause.stack ?? thrown.cause)}`;
  } catch {
    // A getter of the plugin's own error class failed; `describe` still has words.
  }
  const lines = stack.split("\n");
  const cut = lines.length - 2 * STACK_FRAMES_AT_EACH_END;
  if (cut > 1) lines.splice(STACK_FRAMES_AT_EACH_END, cut, `    … ${cut} lines left out …`);
  const text = lines.map((line) => line.slice(0, STACK_LINE_CHARACTERS)).join("\n");
  if (text !== "") return text;
  const { exception, message } = describe(thrown);
  return `${exception}: ${message}`;
}
