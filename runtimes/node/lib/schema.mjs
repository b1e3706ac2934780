// Do these arguments fit the tool's input schema?
//
// A subset of JSON Schema 2020-12: the keywords that tool inputs use.  A keyword that is not
// here is not checked by the SDK; the host checks whole schemas before it asks.

import { isObject } from "./framing.mjs";

/** `$ref` may point at itself; real schemas nest a handful deep. */
const MAX_DEPTH = 64;

const IS_TYPE = {
  object: isObject,
  array: Array.isArray,
  string: (value) => typeof value === "string",
  number: (value) => typeof value === "number",
  integer: (value) => Number.isInteger(value),
  boolean: (value) => typeof value === "boolean",
  null: (value) => value === null,
};

const LIMITS = [
  ["minimum", (value, limit) => typeof value !== "number" || value >= limit, "is less than the minimum of"],
  ["maximum", (value, limit) => typeof value !== "number" || value <= limit, "is more than the maximum of"],
  ["exclusiveMinimum", (value, limit) => typeof value !== "number" || value > limit, "is not more than"],
  ["exclusiveMaximum", (value, limit) => typeof value !== "number" || value < limit, "is not less than"],
  ["minLength", (value, limit) => typeof value !== "string" || codePoints(value) >= limit, "is shorter than"],
  ["maxLength", (value, limit) => typeof value !== "string" || codePoints(value) <= limit, "is longer than"],
  ["minItems", (value, limit) => !Array.isArray(value) || value.length >= limit, "has fewer items than"],
  ["maxItems", (value, limit) => !Array.isArray(value) || value.length <= limit, "has more items than"],
  [
    "pattern",
    (value, limit) => typeof value !== "string" || new RegExp(limit, "u").test(value),
    "does not match",
  ],
];

/**
 * Return what is wrong with *value*, with its place, or null when it fits.
 *
 * @param {unknown} value
 * @param {object | boolean} schema
 */
export function findMisfit(value, schema) {
  return check(value, schema, { root: schema, depth: 0 }, "$");
}

function check(value, schema, at, place) {
  if (schema === false) return `${place} is not allowed`;
  if (!isObject(schema) || at.depth > MAX_DEPTH) return null;
  const inner = { root: at.root, depth: at.depth + 1 };
  return (
    checkReference(value, schema, inner, place) ??
    checkType(value, schema, place) ??
    checkValue(value, schema, place) ??
    checkMembers(value, schema, inner, place) ??
    checkItems(value, schema, inner, place) ??
    checkAlternatives(value, schema, inner, place)
  );
}

function checkReference(value, schema, at, place) {
  if (typeof schema.$ref !== "string" || !schema.$ref.startsWith("#")) return null;
  let target = at.root;
  for (const step of schema.$ref.slice(1).split("/").slice(1)) {
    const key = step.replaceAll("~1", "/").replaceAll("~0", "~");
    if (!isObject(target) || !Object.hasOwn(target, key)) return null;
    target = target[key];
  }
  return check(value, target, at, place);
}

function checkType(value, schema, place) {
  if (schema.type === undefined) return null;
  const types = Array.isArray(schema.type) ? schema.type : [schema.type];
  const fits = types.some((type) => !Object.hasOwn(IS_TYPE, type) || IS_TYPE[type](value));
  return fits ? null : `${place} is ${kindOf(value)}, not ${types.join(" or ")}`;
}

function checkValue(value, schema, place) {
  if (Array.isArray(schema.enum) && !schema.enum.some((item) => isSame(item, value))) {
    return `${place} is not one of ${JSON.stringify(schema.enum)}`;
  }
  if (Object.hasOwn(schema, "const") && !isSame(schema.const, value)) {
    return `${place} is not ${JSON.stringify(schema.const)}`;
  }
  for (const [keyword, fits, words] of LIMITS) {
    if (schema[keyword] !== undefined && !fits(value, schema[keyword])) {
      return `${place} ${words} ${schema[keyword]}`;
    }
  }
  return null;
}

function checkMembers(value, schema, at, place) {
  if (!isObject(value)) return null;
  for (const key of schema.required ?? []) {
    if (!Object.hasOwn(value, key)) return `${place} lacks ${JSON.stringify(key)}`;
  }
  const known = schema.properties ?? {};
  for (const key of Object.keys(value)) {
    const where = `${place}.${key}`;
    let found = null;
    if (Object.hasOwn(known, key)) found = check(value[key], known[key], at, where);
    else if (schema.additionalProperties === false && !schema.patternProperties) {
      const names = Object.keys(known).join(", ");
      found = `${where} is unknown; known: ${names || "none"}`;
    } else if (isObject(schema.additionalProperties)) {
      found = check(value[key], schema.additionalProperties, at, where);
    }
    if (found) return found;
  }
  return null;
}

function checkItems(value, schema, at, place) {
  if (!Array.isArray(value) || schema.items === undefined) return null;
  const first = schema.prefixItems?.length ?? 0;
  for (let index = first; index < value.length; index += 1) {
    const found = check(value[index], schema.items, at, `${place}[${index}]`);
    if (found) return found;
  }
  return null;
}

function checkAlternatives(value, schema, at, place) {
  for (const part of schema.allOf ?? []) {
    const found = check(value, part, at, place);
    if (found) return found;
  }
  for (const keyword of ["anyOf", "oneOf"]) {
    const parts = schema[keyword];
    if (!Array.isArray(parts)) continue;
    const misfits = parts.map((part) => check(value, part, at, place));
    if (!misfits.includes(null)) return `${place} fits none of its forms (${misfits.join("; ")})`;
  }
  return null;
}

function isSame(one, other) {
  return one === other || (typeof one === "object" && JSON.stringify(one) === JSON.stringify(other));
}

function kindOf(value) {
  if (value === null) return "null";
  return Array.isArray(value) ? "array" : typeof value;
}

function codePoints(text) {
  let count = 0;
  for (const _ of text) count += 1;
  return count;
}
