// What does the plugin do for each method the other side may ask?

import { callTool } from "./calls.mjs";
import { Cancellation } from "./cancellation.mjs";
import { Context } from "./context.mjs";
import { finish } from "./ending.mjs";
import { describe, Refusal } from "./errors.mjs";
import { isObject } from "./framing.mjs";
import { discovered, greet, LEVELS } from "./handshake.mjs";
import { findProblem } from "./json.mjs";
import { logFailure } from "./results.mjs";

/** Tools on one page of `tools/list`: 200 with schemas of 20 KiB still fit one message. */
const TOOLS_ON_A_PAGE = 200;
/** Where a handler's value stands in an answer: message, result, member (wire §2.3). */
const MEMBER_DEPTH = 3;

/** Methods that are answered while `onInit` still runs. */
export const WITHOUT_WAITING = new Set(["initialize", "ping", "logging/setLevel", "plughost/shutdown"]);
/** Methods whose stateless results also say how long they may be kept (wire §4.7). */
export const LISTS = new Set(["tools/list"]);

const METHODS = {
  __proto__: null,
  ping: () => ({}),
  initialize,
  "server/discover": discover,
  "logging/setLevel": setLevel,
  "tools/list": listTools,
  "tools/call": callTool,
};

const EXTENSIONS = {
  __proto__: null,
  "plughost/activate": activate,
  "plughost/shutdown": shutdown,
  "plughost/hook": hook,
  "plughost/snapshot": snapshot,
  "plughost/restore": restore,
  "plughost/channel.parse": parseChannel,
  "plughost/channel.format": formatChannel,
};

/** Methods that a session with extensions may use before `plughost/activate` was answered. */
const BEFORE_ACTIVATION = new Set([
  "initialize",
  "ping",
  "logging/setLevel",
  "tools/list",
  "plughost/activate",
  "plughost/shutdown",
  "plughost/restore",
]);

/** Do what *request* asks and return the result. */
export async function perform(session, request) {
  const { method, era } = request;
  const { peer } = session;
  const handle = METHODS[method] ?? (peer.extensions ? EXTENSIONS[method] : undefined);
  if (handle === undefined) throw new Refusal(-32601, `unknown method ${method}`);
  if (!era.stateless) refuseEarly(session, method);
  if (session.failure && !WITHOUT_WAITING.has(method)) throw session.failure;
  if (session.closing && method !== "ping") {
    throw new Refusal(-32600, "the plugin is stopping and takes no new requests", "plugin-unavailable", {
      retryable: true,
    });
  }
  return handle(session, request);
}

/** Run `onInit` with default settings, once, when no host activates the plugin (wire §4.7, §4.8). */
export function startAlone(session, { method, era }) {
  const { peer } = session;
  const begun = era.stateless || (peer.greeted && !peer.extensions && !WITHOUT_WAITING.has(method));
  if (!begun || session.activated) return;
  session.activated = true;
  session.holdOthers(initPlugin(session, {})).catch((refusal) => {
    // Nobody asked for onInit, so whoever asks for anything next is told.
    session.failure = refusal;
  });
}

/** Give an event to its handlers (wire §9.3). */
export function deliverEvent(session, { name, origin, seq, payload }) {
  const handlers = session.plugin.handlers.events.get(name) ?? [];
  for (const handler of handlers) {
    const event = { name, origin, seq, payload };
    // Started in order of arrival; a slow handler does not hold the next event back.
    new Promise((resolve) => resolve(handler(event, bareContext(session)))).catch((thrown) =>
      logFailure(`the handler of event ${JSON.stringify(name)}`, thrown),
    );
  }
}

/** A context outside any call: no deadline, no chain. */
export function bareContext(session, cancellation = new Cancellation()) {
  const { peer } = session;
  const era = { extensions: peer.extensions, logRank: () => peer.rank };
  return new Context(session, { cancellation, era, arrivedMs: 0 });
}

function refuseEarly({ peer, activated }, method) {
  if (!peer.greeted && !["initialize", "ping", "server/discover"].includes(method)) {
    throw new Refusal(-32600, `${method} came before initialize`);
  }
  if (peer.extensions && !activated && !BEFORE_ACTIVATION.has(method)) {
    throw new Refusal(-32600, `${method} came before plughost/activate was answered`);
  }
}

function initialize(session, { params }) {
  const answer = greet(session.peer, params, session.plugin.self());
  session.greeted();
  return answer;
}

function discover(session, { era }) {
  if (!era.stateless) throw new Refusal(-32602, "server/discover lacks the protocol version in its _meta");
  return discovered(session.plugin.self());
}

function setLevel({ peer }, { params: { level } }) {
  const rank = LEVELS.indexOf(level);
  if (rank < 0)
    throw new Refusal(-32602, `level is ${JSON.stringify(level)}, not one of ${LEVELS.join(", ")}`);
  peer.rank = rank;
  return {};
}

function listTools({ plugin }, { params: { cursor } }) {
  const first = cursor === undefined ? 0 : Number(cursor);
  const tools = [...plugin.tools.values()];
  if (!Number.isInteger(first) || first < 0 || first > tools.length) {
    throw new Refusal(-32602, `cursor ${JSON.stringify(cursor)} is not one this plugin gave`);
  }
  plugin.listed = true;
  const next = first + TOOLS_ON_A_PAGE;
  const page = { tools: tools.slice(first, next).map(({ listing }) => listing) };
  return next < tools.length ? { ...page, nextCursor: String(next) } : page;
}

async function activate(session, { params }) {
  const megabytes = params.limits?.max_message_mb;
  if (Number.isFinite(megabytes) && megabytes > 0) session.wire.maxBytes = megabytes * 1024 * 1024;
  await session.holdOthers(initPlugin(session, isObject(params.settings) ? params.settings : {}));
  session.activated = true;
  return {};
}

async function initPlugin(session, settings) {
  session.settings = Object.freeze(settings);
  const { init } = session.plugin.handlers;
  if (!init) return;
  try {
    await init(settings, bareContext(session));
  } catch (thrown) {
    logFailure("onInit", thrown);
    const { exception, message } = describe(thrown);
    throw new Refusal(-32002, `onInit failed: ${exception}: ${message}`, "plugin-start-failed");
  }
}

async function shutdown(session, { id, params }) {
  const graceMs = Number.isFinite(params.grace_ms) ? params.grace_ms : undefined;
  await finish(session, { graceMs, except: id, answer: () => session.answer(id, {}) });
}

async function hook(session, { params: { point, context }, cancellation }) {
  const handler = session.plugin.handlers.hooks.get(point);
  if (!handler) return {};
  const decided = (await handler(isObject(context) ? context : {}, bareContext(session, cancellation))) ?? {};
  if (!isObject(decided))
    throw new TypeError(`the hook at ${point} returned ${typeof decided}, not an object or nothing`);
  const { decision, message, patch } = decided;
  if (decision !== undefined && decision !== "allow" && decision !== "deny") {
    throw new TypeError(`the hook at ${point} decided ${JSON.stringify(decision)}, not "allow" or "deny"`);
  }
  return checked(`the hook at ${point}`, { decision, message, patch });
}

async function snapshot(session, { method, cancellation }) {
  const take = required(session, method, "snapshot");
  return checked("onSnapshot", { state: (await take(bareContext(session, cancellation))) ?? null });
}

async function restore(session, { method, params: { state }, cancellation }) {
  const apply = required(session, method, "restore");
  try {
    await apply(state, bareContext(session, cancellation));
  } catch (thrown) {
    logFailure("onRestore", thrown);
    throw new Refusal(-32002, `onRestore failed: ${describe(thrown).message}`, "plugin-start-failed");
  }
  return {};
}

async function parseChannel(session, { method, params: { payload, headers }, cancellation }) {
  const parse = required(session, method, "parse");
  const messages = await parse(payload, isObject(headers) ? headers : {}, bareContext(session, cancellation));
  if (!Array.isArray(messages))
    throw new TypeError(`onChannelParse returned ${typeof messages}, not an array of messages`);
  return checked("onChannelParse", { messages });
}

async function formatChannel(session, { method, params: { message }, cancellation }) {
  const format = required(session, method, "format");
  return checked("onChannelFormat", {
    payload: (await format(message, bareContext(session, cancellation))) ?? null,
  });
}

function required({ plugin }, method, name) {
  const handler = plugin.handlers[name];
  if (!handler) throw new Refusal(-32601, `the plugin has no handler for ${method}`);
  return handler;
}

function checked(what, result) {
  const found = findProblem(result, { maxBytes: Infinity, depth: MEMBER_DEPTH - 1 });
  if (found) throw new TypeError(`${what} returned something that is not JSON: ${found.place} ${found.why}`);
  return result;
}
