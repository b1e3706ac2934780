// Who waits for which answer?  One conversation: requests in flight on both sides.

import { Cancellation } from "./cancellation.mjs";
import { logLine } from "./descriptors.mjs";
import { describe, PlughostError, Refusal } from "./errors.mjs";
import { classify, isObject, readHead } from "./framing.mjs";
import { complete, eraOf, Peer } from "./handshake.mjs";
import { findProblem, isTooDeep } from "./json.mjs";
import { deliverEvent, LISTS, perform, startAlone, WITHOUT_WAITING } from "./methods.mjs";
import { logFailure, tooLarge } from "./results.mjs";
import { Wire } from "./wire.mjs";

/** Characters of a line of noise that go to the log: enough to recognise it. */
const NOISE_CHARACTERS = 200;
/** Where `params` stands in a message we write (wire §2.3). */
const PARAMS_DEPTH = 2;

export class Session {
  peer = new Peer();
  settings = Object.freeze({});
  closing = false;
  activated = false;
  #wire;
  #served = new Map();
  #asked = new Map();
  #lastId = 0;
  #gate = null;
  #greeted;
  #whenGreeted = new Promise((resolve) => {
    this.#greeted = resolve;
  });

  /**
   * @param {import("./plugin.mjs").Plugin} plugin
   * @param {{readFd: number, writeFd: number}} descriptors
   * @param {(graceMs: number) => Promise<void>} onEnd What to do at end-of-file.
   */
  constructor(plugin, descriptors, onEnd) {
    this.plugin = plugin;
    this.#wire = new Wire(descriptors, {
      onLine: (line) => this.#receive(line),
      onOversize: (head) => this.#receiveOversize(head),
      onEnd,
    });
  }

  get wire() {
    return this.#wire;
  }

  /** Requests of the host that have no answer yet, oldest first. */
  get served() {
    return [...this.#served.values()];
  }

  /** Resolve when the other side has said what it is. */
  get whenGreeted() {
    return this.#whenGreeted;
  }

  greeted() {
    this.#greeted();
  }

  /** Let every request that comes after this one wait until *work* has ended. */
  holdOthers(work) {
    const gate = work.then(
      () => {},
      () => {},
    );
    this.#gate = gate.then(() => {
      this.#gate = null;
    });
    return work;
  }

  /** Send a notification; what a slow reader cannot take is dropped, not kept. */
  notify(method, params) {
    if (this.#wire.backlogBytes > this.#wire.maxBytes) return;
    const problem = findProblem(params, { maxBytes: this.#wire.maxBytes, depth: PARAMS_DEPTH });
    if (problem) throw new TypeError(`${method}: ${problem.place} ${problem.why}`);
    this.#wire.sendNow(`${JSON.stringify({ jsonrpc: "2.0", method, params })}\n`);
  }

  /**
   * Ask the host; reject with what it answered, or when *cancellation* comes first.
   *
   * @param {string | null} feature What the host must have offered (wire §10); null: always there.
   */
  async ask(feature, method, params, cancellation) {
    this.#refuseMissing(feature, method);
    if (cancellation?.cancelled) throw cancellation.error;
    const { maxBytes } = this.#wire;
    const problem = findProblem(params, { maxBytes, depth: PARAMS_DEPTH });
    if (problem) throw new TypeError(`${method}: ${problem.place} ${problem.why}`);
    this.#lastId += 1;
    const id = this.#lastId;
    const line = `${JSON.stringify({ jsonrpc: "2.0", id, method, params })}\n`;
    if (Buffer.byteLength(line) > maxBytes) {
      throw new PlughostError(`${method}: the message is longer than ${maxBytes} bytes`, {
        type: "output-limit",
      });
    }
    let release;
    const answer = new Promise((resolve, reject) => {
      this.#asked.set(id, { resolve, reject });
      release = cancellation?.onCancel((error) => {
        this.#asked.delete(id);
        this.notify("notifications/cancelled", { requestId: id });
        reject(error);
      });
    });
    this.#wire.send(line);
    try {
      return await answer;
    } finally {
      release?.();
    }
  }

  /** Fail every question that can have no answer any more. */
  abandonAsked(message) {
    for (const { reject } of this.#asked.values())
      reject(new PlughostError(message, { type: "host-stopping" }));
    this.#asked.clear();
  }

  /** Answer a request outside the usual way: `plughost/shutdown` answers when all else is over. */
  answer(id, result) {
    this.#wire.send(`${JSON.stringify({ jsonrpc: "2.0", id, result })}\n`);
  }

  #receive(line) {
    const { kind, message, why } = classify(line);
    if (kind === "request") this.#take(message, line.length);
    else if (kind === "response") this.#settle(message);
    else if (kind === "notification") this.#hear(message);
    else logLine(`plughost: ignored a line that is ${why}: ${line.toString("latin1", 0, NOISE_CHARACTERS)}`);
  }

  #receiveOversize(head) {
    const why = `a message longer than ${this.#wire.maxBytes} bytes was discarded`;
    logLine(`plughost: ${why}`);
    const found = readHead(head);
    if (found?.isRequest) this.#refuse(found.id, new Refusal(-32600, why, "output-limit"));
    else if (found) {
      this.#asked.get(found.id)?.reject(new PlughostError(why, { type: "output-limit" }));
      this.#asked.delete(found.id);
    }
  }

  #take({ id, method, params = {} }, bytes) {
    if (this.#served.has(id)) {
      logLine(`plughost: ignored a second request with the id ${JSON.stringify(id)} of one in flight`);
    } else if (!isObject(params)) {
      this.#refuse(id, new Refusal(-32602, `params of ${method} is not an object`));
    } else if (isTooDeep(params, bytes)) {
      this.#refuse(id, new Refusal(-32600, "the message nests deeper than 64 levels", "output-limit"));
    } else {
      const request = {
        id,
        method,
        params,
        cancellation: new Cancellation(),
        arrivedMs: performance.now(),
        tool: null,
      };
      this.#served.set(id, request);
      request.done = this.#serve(request);
    }
  }

  async #serve(request) {
    const { id, method, params, cancellation } = request;
    let reply;
    try {
      request.era = eraOf(params, this.peer);
      startAlone(this, request);
      if (!WITHOUT_WAITING.has(method)) while (this.#gate) await this.#gate;
      if (cancellation.cancelled) throw cancellation.error;
      const result = await perform(this, request);
      reply = () => this.#reply(request, result);
    } catch (thrown) {
      reply = () => this.#refuse(id, toRefusal(method, thrown, cancellation));
    }
    this.#served.delete(id);
    // A plain MCP client expects no answer to what it cancelled (wire §7.2).
    if (!cancellation.cancelled) reply();
    else if (this.peer.extensions)
      this.#refuse(id, new Refusal(-32800, cancellation.error.message, "cancelled", { retryable: true }));
  }

  #reply({ id, method, tool, era }, result) {
    if (result === undefined) return; // plughost/shutdown has answered itself
    const whole = era.stateless ? complete(result, LISTS.has(method)) : result;
    const line = `${JSON.stringify({ jsonrpc: "2.0", id, result: whole })}\n`;
    const { maxBytes } = this.#wire;
    // UTF-8 needs at most three bytes for a UTF-16 unit: most answers need no count.
    const bytes = line.length * 3 > maxBytes ? Buffer.byteLength(line) : 0;
    if (bytes <= maxBytes) this.#wire.send(line);
    else if (tool) this.#reply({ id, method, tool: null, era }, tooLarge(tool, bytes, maxBytes));
    else
      this.#refuse(
        id,
        new Refusal(
          -32603,
          `the answer to ${method} has ${bytes} bytes, and a message holds ${maxBytes}`,
          "output-limit",
        ),
      );
  }

  #refuse(id, { code, message, data }) {
    const error = data === undefined ? { code, message } : { code, message, data };
    this.#wire.send(`${JSON.stringify({ jsonrpc: "2.0", id, error })}\n`);
  }

  #settle({ id, result, error }) {
    const asked = this.#asked.get(id);
    this.#asked.delete(id);
    if (asked === undefined) return;
    if (isObject(error)) {
      const { type, retryable, details } = isObject(error.data) ? error.data : {};
      asked.reject(new PlughostError(String(error.message), { type, retryable, details, code: error.code }));
    } else if (isObject(result)) asked.resolve(result);
    else asked.reject(new PlughostError("the host's answer is no object", { type: "protocol-violation" }));
  }

  #hear({ method, params }) {
    if (!isObject(params)) params = {};
    if (method === "notifications/cancelled") {
      this.#served.get(params.requestId)?.cancellation.cancel(params.reason);
    } else if (method === "notifications/initialized") {
      startAlone(this, { method, era: eraOf({}, this.peer) });
    } else if (method === "plughost/event") {
      if (this.#gate) this.#gate.then(() => deliverEvent(this, params));
      else deliverEvent(this, params);
    }
  }

  #refuseMissing(feature, method) {
    if (this.peer.extensions && (feature === null || this.peer.features.has(feature))) return;
    const why = this.peer.extensions
      ? `which this host does not offer (it offers: ${[...this.peer.features].sort().join(", ") || "nothing"})`
      : "which only a Plughost host offers, and this session is with a plain MCP client";
    throw new PlughostError(`${method} needs the feature "${feature}", ${why}`, {
      type: "permission-denied",
      details: { feature },
    });
  }
}

function toRefusal(method, thrown, cancellation) {
  if (thrown instanceof Refusal || thrown === cancellation.error) return thrown;
  logFailure(method, thrown);
  return new Refusal(-32603, `${method} failed: ${describe(thrown).message}`, "tool-error");
}
