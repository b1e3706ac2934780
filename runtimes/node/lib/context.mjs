// What can a handler see of its call, and ask of the host?

import { PlughostError } from "./errors.mjs";
import { isId, isObject } from "./framing.mjs";
import { LEVELS } from "./handshake.mjs";
import { dataOf } from "./results.mjs";

/** The `ctx` that tools, hooks, events and `onInit` are given. */
export class Context {
  #session;
  #request;
  #meta;
  #expiresMs;
  #lastProgress = -Infinity;
  #ended = false;
  #state;

  /**
   * @param {import("./session.mjs").Session} session
   * @param {{cancellation: object, era: object, arrivedMs: number, tool?: string}} request
   * @param {unknown} [meta] `params._meta` of the call (wire §6).
   */
  constructor(session, request, meta) {
    this.#session = session;
    this.#request = request;
    this.#meta = isObject(meta) ? meta : {};
    const { deadline_ms: deadlineMs } = this.#meta;
    this.#expiresMs = Number.isFinite(deadlineMs) ? request.arrivedMs + deadlineMs : null;
  }

  get cancelled() {
    return this.#request.cancellation.cancelled;
  }

  get signal() {
    return this.#request.cancellation.signal;
  }

  get deadlineS() {
    if (this.#expiresMs === null) return null;
    return Math.max(0, this.#expiresMs - performance.now()) / 1000;
  }

  get deadline_s() {
    return this.deadlineS;
  }

  get callId() {
    return typeof this.#meta.call_id === "string" ? this.#meta.call_id : null;
  }

  get chain() {
    return Array.isArray(this.#meta.chain) ? [...this.#meta.chain] : [];
  }

  get traceparent() {
    return typeof this.#meta.traceparent === "string" ? this.#meta.traceparent : null;
  }

  get settings() {
    return this.#session.settings;
  }

  get state() {
    this.#state ??= stateOf((method, params) => this.#ask("state", `plughost/state.${method}`, params));
    return this.#state;
  }

  progress(progress, total, message) {
    if (!Number.isFinite(progress)) throw new TypeError(`progress is ${progress}, not a finite number`);
    const { progressToken } = this.#meta;
    // Progress grows (wire §7.3): a step back would end the session of a strict client.
    if (this.#ended || !isId(progressToken) || progress <= this.#lastProgress) return;
    this.#lastProgress = progress;
    const said = { progressToken, progress };
    if (Number.isFinite(total)) said.total = total;
    if (message !== undefined) said.message = String(message);
    this.#session.notify("notifications/progress", said);
  }

  log(message, level = "info", data = undefined) {
    const rank = LEVELS.indexOf(level);
    if (rank < 0)
      throw new TypeError(`log level ${JSON.stringify(level)} is not one of ${LEVELS.join(", ")}`);
    if (rank < this.#request.era.logRank()) return;
    const said = { level, data: String(message) };
    if (data !== undefined) said.data = { ...(isObject(data) ? data : { data }), message: String(message) };
    if (this.#request.tool) said.logger = this.#request.tool;
    this.#session.notify("notifications/message", said);
  }

  async call(plugin, tool, args = {}, { timeoutS } = {}) {
    const params = { plugin, tool, arguments: args };
    if (this.callId !== null) params.call_id = this.callId;
    if (timeoutS !== undefined) params.timeout_ms = milliseconds(timeoutS);
    return dataOf(await this.#ask("call", "plughost/call", params));
  }

  async emit(name, payload = {}) {
    await this.#ask("emit", "plughost/emit", { name, payload });
  }

  async http(method, url, { headers, body } = {}) {
    const params = { method, url: String(url) };
    if (headers !== undefined) params.headers = headers;
    if (body instanceof Uint8Array) params.body_base64 = Buffer.from(body).toString("base64");
    else if (body !== undefined) params.body = body;
    const answer = await this.#ask("http", "plughost/http", params);
    return { status: answer.status, headers: answer.headers ?? {}, body: bodyOf(answer) };
  }

  async secretExists(name) {
    return (await this.#ask("http", "plughost/secret.exists", { name })).exists === true;
  }

  async llm(messages, { maxTokens, model } = {}) {
    const params = {
      messages: typeof messages === "string" ? [{ role: "user", content: messages }] : messages,
    };
    if (maxTokens !== undefined) params.max_tokens = maxTokens;
    if (model !== undefined) params.model = model;
    const { text, usage, stop_reason: stopReason } = await this.#ask("llm", "plughost/llm", params);
    return {
      text,
      usage: { inputTokens: usage?.input_tokens ?? 0, outputTokens: usage?.output_tokens ?? 0 },
      stopReason,
    };
  }

  /** Called by the SDK when the handler has returned. */
  end() {
    this.#ended = true;
  }

  #ask(feature, method, params) {
    return this.#session.ask(feature, method, params, this.#request.cancellation);
  }
}

function stateOf(ask) {
  return {
    async get(key, otherwise) {
      const { found, value } = await ask("get", { key });
      return found ? value : otherwise;
    },
    async set(key, value) {
      if (value === undefined)
        throw new TypeError(`state.set(${JSON.stringify(key)}) has no value: use delete`);
      await ask("set", { key, value });
    },
    async delete(key) {
      return (await ask("delete", { key })).deleted === true;
    },
    async list(prefix) {
      return (await ask("list", prefix === undefined ? {} : { prefix })).keys;
    },
  };
}

function bodyOf({ body, body_base64: base64 }) {
  return typeof base64 === "string" ? Buffer.from(base64, "base64") : (body ?? "");
}

function milliseconds(seconds) {
  if (!(Number.isFinite(seconds) && seconds > 0)) {
    throw new PlughostError(`timeoutS is ${seconds}, not a positive number of seconds`, {
      type: "invalid-arguments",
    });
  }
  return Math.ceil(seconds * 1000);
}
