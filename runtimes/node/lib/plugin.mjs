// What does a plugin consist of?  Tools and handlers, registered before or after run().

import { claimDescriptors, whoAmI } from "./descriptors.mjs";
import { explainCrashes, finish } from "./ending.mjs";
import { PlughostError } from "./errors.mjs";
import { isObject } from "./framing.mjs";
import { findProblem } from "./json.mjs";
import { Session } from "./session.mjs";

/** Wire §5.1. */
const TOOL_NAME = /^[A-Za-z0-9_.-]{1,64}$/;
/** The depth of a tool's schema in `tools/list`: message, result, tools, tool, schema. */
const SCHEMA_DEPTH = 5;
/** Tells the runner, and a second copy of the SDK, that this process serves already. */
const RUNNING = Symbol.for("plughost.running");
const SPEC_KEYS = ["description", "title", "input", "output", "idempotent", "longRunning", "annotations"];

/** One plugin; `import { plugin }` is the one that almost everybody needs. */
export class Plugin {
  tools = new Map();
  handlers = { events: new Map(), hooks: new Map() };
  /** Whether somebody has asked for the tools: only then does a new one need announcing. */
  listed = false;
  #session = null;
  #identity;

  /** @param {{name?: string, version?: string}} [identity] Instead of the manifest's. */
  constructor(identity = {}) {
    this.#identity = identity;
  }

  tool(name, spec, run) {
    if (!TOOL_NAME.test(name))
      throw new TypeError(`tool name ${JSON.stringify(name)} does not match ${TOOL_NAME.source}`);
    if (this.tools.has(name)) throw new TypeError(`tool ${JSON.stringify(name)} is registered twice`);
    if (typeof run !== "function")
      throw new TypeError(`tool ${JSON.stringify(name)} has no function as its third argument`);
    this.tools.set(name, { name, run, listing: listingOf(name, spec) });
    if (this.listed && this.#session?.peer.greeted)
      this.#session.notify("notifications/tools/list_changed", {});
    return this;
  }

  on(event, handler) {
    const handlers = this.handlers.events.get(event) ?? [];
    this.handlers.events.set(event, [...handlers, requireFunction(`on(${JSON.stringify(event)})`, handler)]);
    return this;
  }

  hook(point, handler) {
    if (this.handlers.hooks.has(point))
      throw new TypeError(`the hook point ${JSON.stringify(point)} has a handler already`);
    this.handlers.hooks.set(point, requireFunction(`hook(${JSON.stringify(point)})`, handler));
    return this;
  }

  onInit(handler) {
    return this.#set("init", "onInit", handler);
  }

  onCleanup(handler) {
    return this.#set("cleanup", "onCleanup", handler);
  }

  onSnapshot(handler) {
    return this.#set("snapshot", "onSnapshot", handler);
  }

  onRestore(handler) {
    return this.#set("restore", "onRestore", handler);
  }

  onChannelParse(handler) {
    return this.#set("parse", "onChannelParse", handler);
  }

  onChannelFormat(handler) {
    return this.#set("format", "onChannelFormat", handler);
  }

  /** Ask the host for more time to start (wire §10.7); without a host nobody counts it. */
  async extendStart(seconds) {
    if (!(Number.isFinite(seconds) && seconds > 0))
      throw new TypeError(`extendStart(${seconds}): not a positive number of seconds`);
    if (!this.#session) throw new PlughostError("extendStart() came before run(): call it in onInit");
    await this.#session.whenGreeted;
    if (this.#session.peer.extensions) await this.#session.ask(null, "plughost/extend_start", { seconds });
  }

  /** Serve until the host says goodbye or closes the wire. */
  run() {
    if (globalThis[RUNNING]) throw new PlughostError("run() was called already: a process serves one plugin");
    globalThis[RUNNING] = true;
    this.#serve();
  }

  /** What the handshake says about this plugin. */
  self() {
    const { events, hooks, snapshot, restore, parse, format } = this.handlers;
    const features = [];
    if (events.size > 0) features.push("events");
    if (hooks.size > 0) features.push("hooks");
    if (snapshot || restore) features.push("snapshot");
    if (parse || format) features.push("channel");
    return { ...whoAmI(), ...this.#identity, features };
  }

  async #serve() {
    const descriptors = await claimDescriptors();
    this.#session = new Session(this, descriptors, () => finish(this.#session));
    explainCrashes(this.#session);
  }

  #set(name, method, handler) {
    if (this.handlers[name]) throw new TypeError(`${method} was called twice`);
    this.handlers[name] = requireFunction(method, handler);
    return this;
  }
}

/** What `tools/list` says about a tool (wire §5.1). */
function listingOf(name, spec) {
  const where = `tool ${JSON.stringify(name)}`;
  if (!isObject(spec))
    throw new TypeError(`${where}: its second argument is not an object with a description`);
  const unknown = Object.keys(spec).find((key) => !SPEC_KEYS.includes(key));
  if (unknown)
    throw new TypeError(
      `${where}: unknown option ${JSON.stringify(unknown)}; known: ${SPEC_KEYS.join(", ")}`,
    );
  const {
    description,
    title,
    input = { type: "object" },
    output,
    idempotent,
    longRunning,
    annotations,
  } = spec;
  if (typeof description !== "string" || description === "")
    throw new TypeError(`${where}: description is not a text`);
  if (!isObject(input) || input.type !== "object")
    throw new TypeError(`${where}: input is not a JSON Schema of type "object"`);
  const listing = { name, title, description, inputSchema: input };
  if (output !== undefined) listing.outputSchema = outputSchemaOf(where, output);
  if (idempotent !== undefined || annotations !== undefined) {
    listing.annotations = {
      ...annotations,
      ...(idempotent === undefined ? {} : { idempotentHint: idempotent === true }),
    };
  }
  if (longRunning) listing._meta = { "plughost/longRunning": true };
  const found = findProblem(listing, { maxBytes: Infinity, depth: SCHEMA_DEPTH - 1 });
  if (found) throw new TypeError(`${where}: ${found.place} ${found.why}`);
  // A copy: what the plugin does to its schemas later must not change what was announced.
  return JSON.parse(JSON.stringify(listing));
}

/** MCP wants an object; a tool that returns anything else is wrapped, and so is its schema. */
function outputSchemaOf(where, output) {
  if (!isObject(output)) throw new TypeError(`${where}: output is not a JSON Schema`);
  if (output.type === "object") return output;
  const { $defs, ...schema } = output;
  const wrapper = { type: "object", properties: { result: schema }, required: ["result"] };
  return $defs === undefined ? wrapper : { ...wrapper, $defs };
}

function requireFunction(method, handler) {
  if (typeof handler !== "function")
    throw new TypeError(`${method}: the handler is ${typeof handler}, not a function`);
  return handler;
}
