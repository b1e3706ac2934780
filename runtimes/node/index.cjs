// What require("@plughost/sdk") returns: the instance the runner has imported already.

"use strict";

const sdk = globalThis[Symbol.for("plughost.sdk")];

if (sdk === undefined) {
  throw new Error(
    'require("@plughost/sdk") works in a plugin that plughost runs; ' +
      'alone, name the entry main.mjs and use: import { plugin } from "@plughost/sdk"',
  );
}

module.exports = sdk;
