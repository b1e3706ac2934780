// The public face of @plughost/sdk; index.d.ts documents every name.

import { guardStandardStreams } from "./lib/descriptors.mjs";
import { CancelledError, PlughostError, ToolError } from "./lib/errors.mjs";
import { Plugin } from "./lib/plugin.mjs";
import { content } from "./lib/results.mjs";

guardStandardStreams();

/** The plugin of this process. */
const plugin = new Plugin();

// How a CommonJS entry gets at this instance: Node 20 cannot require() a module.
globalThis[Symbol.for("plughost.sdk")] ??= {
  CancelledError,
  content,
  Plugin,
  plugin,
  PlughostError,
  ToolError,
};

export { CancelledError, content, Plugin, plugin, PlughostError, ToolError };
