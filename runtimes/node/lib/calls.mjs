// How does one call of a tool run?

import { Context } from "./context.mjs";
import { Refusal } from "./errors.mjs";
import { isObject } from "./framing.mjs";
import { logFailure, toFailure, toResult } from "./results.mjs";
import { findMisfit } from "./schema.mjs";

/** Answer `tools/call` (wire §5.2-§5.7). */
export async function callTool(session, request) {
  const { params, cancellation, era } = request;
  const tool = session.plugin.tools.get(params.name);
  if (tool === undefined) throw unknownTool(session.plugin, params.name);
  const args = params.arguments ?? {};
  const misfit = isObject(args) ? findMisfit(args, tool.listing.inputSchema) : "$ is not an object";
  if (misfit) {
    throw new Refusal(-32602, `the arguments of ${tool.name} do not fit: ${misfit}`, "invalid-arguments");
  }
  request.tool = tool.name;
  const ctx = new Context(session, request, params._meta);
  try {
    const { run } = tool; // not a method call: `this` would hand the plugin our own record
    const returned = await run(args, ctx);
    return toResult(tool.name, returned, { extensions: era.extensions, maxBytes: session.wire.maxBytes });
  } catch (thrown) {
    // Whatever a cancelled tool throws on its way out is no failure of the tool.
    if (!cancellation.cancelled) logFailure(`tool ${JSON.stringify(tool.name)}`, thrown);
    return toFailure(tool.name, thrown);
  } finally {
    ctx.end();
  }
}

function unknownTool(plugin, name) {
  const known = [...plugin.tools.keys()].join(", ") || "none";
  return new Refusal(-32602, `no tool ${JSON.stringify(name)} here; known: ${known}`, "tool-not-found");
}
