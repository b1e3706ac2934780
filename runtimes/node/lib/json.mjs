// Is a value JSON that fits a message, and if not, where and why?

/** Wire §2.3. */
export const MAX_NESTING = 64;
/** Wire §2.4: the first integers past ±(2⁶³−1) and past 2⁶⁴−1. */
const BELOW_ANY_INTEGER = -(2 ** 63);
const PAST_ANY_INTEGER = 2 ** 64;
/** From here on JSON.stringify writes an exponent, which readers take as a float. */
const WRITTEN_AS_FLOAT = 1e21;
/** A cycle is found 60 steps deep; its first round says it all. */
const STEPS_SHOWN = 8;
/** A document nested 65 deep has 65 openers and 65 closers: shorter text needs no look. */
const SHORTEST_TOO_DEEP_BYTES = 2 * (MAX_NESTING + 1);

const ADVICE = {
  Map: "use Object.fromEntries(map)",
  Set: "use [...set]",
  Promise: "await it",
  Error: "throw it, or return its message",
  RegExp: "use regexp.source",
};

/**
 * Find the first thing in *value* that JSON or the wire cannot carry.
 *
 * @param {unknown} value
 * @param {{maxBytes: number, depth: number}} room What one message may hold, and how deep the
 *   value will stand in it.
 * @returns {{place: string, why: string} | null}
 */
export function findProblem(value, { maxBytes, depth }) {
  // Counting while looking stops a value whose text would not fit in memory
  // (shared parts are written once for each mention) before it is written.
  const search = { left: maxBytes, ancestors: [] };
  const problem = look(value, depth, search, "");
  return problem && { place: placeOf(problem.path.reverse()), why: problem.why };
}

/** Tell whether parsed JSON nests deeper than the wire allows. */
export function isTooDeep(value, textBytes) {
  return textBytes >= SHORTEST_TOO_DEEP_BYTES && deeperThan(value, MAX_NESTING);
}

function deeperThan(value, levels) {
  if (typeof value !== "object" || value === null) return false;
  if (levels === 0) return true;
  const parts = Array.isArray(value) ? value : Object.values(value);
  for (const part of parts) {
    if (typeof part === "object" && deeperThan(part, levels - 1)) return true;
  }
  return false;
}

function look(value, depth, search, key) {
  switch (typeof value) {
    case "string":
      return lookAtText(value, search);
    case "number":
      search.left -= 1;
      return lookAtNumber(value);
    case "boolean":
    case "undefined":
      return spend(search, 4);
    case "object":
      return value === null ? spend(search, 4) : lookAtObject(value, depth, search, key);
    case "bigint":
      return problem("a BigInt, which JSON does not have: use Number(n) or String(n)");
    default:
      return problem(`a ${typeof value}, which JSON does not have`);
  }
}

function lookAtText(text, search) {
  if (!text.isWellFormed()) {
    return problem("a string with half a surrogate pair, which UTF-8 does not have: use toWellFormed()");
  }
  return spend(search, text.length + 2);
}

function lookAtNumber(number) {
  if (!Number.isFinite(number)) return problem(`${number}, which JSON does not have: use null or a string`);
  const asInteger = Number.isInteger(number) && Math.abs(number) < WRITTEN_AS_FLOAT;
  if (asInteger && (number <= BELOW_ANY_INTEGER || number >= PAST_ANY_INTEGER)) {
    return problem(`${number}, an integer of more than 64 bits: use a string`);
  }
  return null;
}

function lookAtObject(value, depth, search, key) {
  const unfit = describeUnfit(value);
  if (unfit) return problem(unfit);
  if (typeof value.toJSON === "function") return look(value.toJSON(key), depth, search, key);
  if (depth > MAX_NESTING) {
    return problem(
      search.ancestors.includes(value)
        ? "a part of itself: JSON has no cycles"
        : `nested deeper than the ${MAX_NESTING} levels a message may have`,
    );
  }
  search.ancestors.push(value);
  const found = Array.isArray(value)
    ? lookAtItems(value, depth, search)
    : lookAtMembers(value, depth, search);
  search.ancestors.pop();
  return found;
}

function lookAtItems(items, depth, search) {
  // Before the loop: `new Array(2 ** 32 - 1)` is one word in memory.
  const overflow = spend(search, items.length + 2);
  if (overflow) return overflow;
  for (let index = 0; index < items.length; index += 1) {
    const found = look(items[index], depth + 1, search, String(index));
    if (found) return within(found, `[${index}]`);
  }
  return null;
}

function lookAtMembers(members, depth, search) {
  for (const key of Object.keys(members)) {
    const value = members[key];
    if (value === undefined) continue;
    const found = lookAtText(key, search) ?? look(value, depth + 1, search, key);
    if (found) return within(found, /^[A-Za-z_$][\w$]*$/.test(key) ? `.${key}` : `[${JSON.stringify(key)}]`);
  }
  return spend(search, 2);
}

/** Name the objects that JSON.stringify would turn into `{}` without a word. */
function describeUnfit(value) {
  const prototype = Object.getPrototypeOf(value);
  if (prototype === Object.prototype || prototype === Array.prototype || prototype === null) return null;
  const kind = Object.prototype.toString.call(value).slice(8, -1);
  if (ArrayBuffer.isView(value) || kind === "ArrayBuffer" || kind === "SharedArrayBuffer") {
    return `bytes (${value.constructor?.name ?? kind}): use Buffer.from(bytes).toString("base64")`;
  }
  if (Object.hasOwn(ADVICE, kind)) return `a ${kind}, which JSON does not have: ${ADVICE[kind]}`;
  if (kind.startsWith("Weak")) return `a ${kind}, which JSON does not have`;
  return null;
}

function spend(search, bytes) {
  search.left -= bytes;
  return search.left < 0 ? { path: [], why: "where the message grows past its limit" } : null;
}

function placeOf(steps) {
  const shown = steps.slice(0, STEPS_SHOWN).join("");
  return `$${shown}${steps.length > STEPS_SHOWN ? "…" : ""}`;
}

function problem(why) {
  return { path: [], why: `is ${why}` };
}

function within(found, step) {
  found.path.push(step);
  return found;
}
