/** What JSON can hold; what tools return and the host keeps. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/**
 * What a tool may return: JSON, or something that becomes JSON.
 * `undefined` members are left out and `undefined` alone becomes null; a `Date` becomes a string.
 */
export type Returnable =
  | undefined
  | null
  | boolean
  | number
  | string
  | { toJSON(key?: string): unknown }
  | readonly Returnable[]
  | { readonly [key: string]: Returnable }
  | Content;

/** A JSON Schema, draft 2020-12. */
export interface Schema {
  readonly type?: SchemaType | readonly SchemaType[];
  readonly description?: string;
  readonly title?: string;
  readonly default?: unknown;
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly properties?: { readonly [name: string]: Schema | boolean };
  readonly required?: readonly string[];
  readonly items?: Schema | boolean;
  readonly additionalProperties?: Schema | boolean;
  readonly [keyword: string]: unknown;
}

/** The schema of a tool's arguments. */
export interface ObjectSchema extends Schema {
  readonly type: "object";
}

export type SchemaType = "object" | "array" | "string" | "number" | "integer" | "boolean" | "null";

/** The type of the values that fit a schema written in place; `unknown` where it cannot tell. */
export type FromSchema<S> = S extends { readonly const: infer Value }
  ? Value
  : S extends { readonly enum: readonly (infer Value)[] }
    ? Value
    : S extends { readonly type: infer Type }
      ? Type extends readonly (infer Each)[]
        ? FromType<Each, S>
        : FromType<Type, S>
      : unknown;

type FromType<Type, S> = Type extends "string"
  ? string
  : Type extends "number" | "integer"
    ? number
    : Type extends "boolean"
      ? boolean
      : Type extends "null"
        ? null
        : Type extends "array"
          ? S extends { readonly items: infer Items }
            ? FromSchema<Items>[]
            : unknown[]
          : Type extends "object"
            ? FromObject<S>
            : unknown;

type FromObject<S> = S extends { readonly properties: infer Properties }
  ? Flat<
      {
        -readonly [Name in keyof Properties as Name extends Required<S> ? Name : never]: FromSchema<
          Properties[Name]
        >;
      } & {
        -readonly [Name in keyof Properties as Name extends Required<S> ? never : Name]?: FromSchema<
          Properties[Name]
        >;
      }
    >
  : { [name: string]: unknown };

type Required<S> = S extends { readonly required: readonly (infer Name)[] } ? Name : never;
type Flat<T> = { [Name in keyof T]: T[Name] };

/** What a tool is, beside its function. */
export interface ToolSpec<Input extends ObjectSchema = ObjectSchema> {
  /** What it does and when to use it: models choose by this text. */
  description: string;
  /** A short name for people. */
  title?: string;
  /** The schema of its arguments; without it any object is accepted. */
  input?: Input;
  /** The schema of what it returns. */
  output?: Schema;
  /** True: calling it twice with the same arguments is as good as once, so the host may retry. */
  idempotent?: boolean;
  /** True: `ctx.progress()` extends the deadline. */
  longRunning?: boolean;
  /** MCP's other hints, as they are. */
  annotations?: {
    readOnlyHint?: boolean;
    destructiveHint?: boolean;
    openWorldHint?: boolean;
    title?: string;
  };
}

export type LogLevel = "debug" | "info" | "notice" | "warning" | "error" | "critical" | "alert" | "emergency";

/** A failure that the tool reports on purpose; its stack is not logged. */
export class ToolError extends Error {
  constructor(
    message: string,
    options?: { retryable?: boolean; details?: { [key: string]: Json }; cause?: unknown },
  );
  readonly retryable: boolean;
  readonly details: { [key: string]: Json };
}

/** A failure of what the plugin asked the host for. */
export class PlughostError extends Error {
  constructor(
    message: string,
    options?: { type?: string; retryable?: boolean; details?: { [key: string]: unknown }; code?: number },
  );
  /** A name of contracts/errors.json, such as `permission-denied`. */
  readonly type: string;
  readonly retryable: boolean;
  readonly details: { [key: string]: unknown };
  /** The JSON-RPC code, where the host answered with one. */
  readonly code?: number;
}

/** What a waiting `ctx` method throws when the call is cancelled; also the reason of `ctx.signal`. */
export class CancelledError extends PlughostError {
  constructor(reason?: string);
}

/** One MCP content block. */
export type Block =
  | { type: "text"; text: string; [more: string]: unknown }
  | { type: "image" | "audio"; data: string; mimeType: string; [more: string]: unknown }
  | { type: "resource"; resource: { uri: string; [more: string]: unknown }; [more: string]: unknown }
  | { type: "resource_link"; uri: string; name: string; [more: string]: unknown };

/** What `content()` returns; only a tool's return value has a use for it. */
export interface Content {
  readonly blocks: readonly Block[];
  readonly data: unknown;
  readonly hasData: boolean;
}

/** Return content blocks from a tool; a string stands for a text block. *data* travels beside them. */
export function content(blocks: string | Block | readonly (string | Block)[], data?: Returnable): Content;

/** This plugin's own key-value store in the host (feature `state`). */
export interface State {
  /** The value of *key*, or *otherwise* (undefined) when there is none. */
  get<Value = Json>(key: string): Promise<Value | undefined>;
  get<Value = Json>(key: string, otherwise: Value): Promise<Value>;
  set(key: string, value: Json): Promise<void>;
  /** Resolves to whether there was something to delete. */
  delete(key: string): Promise<boolean>;
  list(prefix?: string): Promise<string[]>;
}

export interface HttpResponse {
  status: number;
  headers: { [name: string]: string };
  /** Text as a string; anything that is not UTF-8 text as bytes. */
  body: string | Uint8Array;
}

export interface LlmMessage {
  role: string;
  content: string | readonly unknown[];
}

export interface LlmAnswer {
  text: string;
  usage: { inputTokens: number; outputTokens: number };
  stopReason: string;
}

/** What a handler sees of its call, and asks of the host. */
export interface Context {
  /** Say how far the work is; ignored when nobody asked, and when it does not grow. */
  progress(progress: number, total?: number, message?: string): void;
  log(message: string, level?: LogLevel, data?: unknown): void;
  /** True once the caller has given up. */
  readonly cancelled: boolean;
  /** Aborted when the caller gives up: for `fetch`, timers and streams. */
  readonly signal: AbortSignal;
  /** Seconds left, or null when the call has no deadline. */
  readonly deadlineS: number | null;
  readonly deadline_s: number | null;
  readonly callId: string | null;
  /** The callers as `plugin.tool`, outermost first. */
  readonly chain: string[];
  /** W3C trace context, when the host traces. */
  readonly traceparent: string | null;
  readonly settings: { readonly [key: string]: any };
  readonly state: State;
  /** Call another plugin's tool and return its data; rejects with a PlughostError. */
  call<Value = any>(
    plugin: string,
    tool: string,
    args?: { readonly [name: string]: unknown },
    options?: { timeoutS?: number },
  ): Promise<Value>;
  /** Publish an event that the manifest declares. */
  emit(name: string, payload?: { readonly [key: string]: unknown }): Promise<void>;
  /** Let the host make an HTTP request that the manifest allows. */
  http(
    method: string,
    url: string | { toString(): string },
    options?: { headers?: { readonly [name: string]: string }; body?: string | Uint8Array },
  ): Promise<HttpResponse>;
  secretExists(name: string): Promise<boolean>;
  /** Ask a model through the host's metering. */
  llm(
    messages: string | readonly LlmMessage[],
    options?: { maxTokens?: number; model?: string },
  ): Promise<LlmAnswer>;
}

export interface PluginEvent<Payload = any> {
  name: string;
  origin: string;
  seq: number;
  payload: Payload;
}

export interface HookDecision {
  decision?: "allow" | "deny";
  message?: string;
  patch?: { readonly [key: string]: unknown };
}

type Awaitable<T> = T | Promise<T>;

/** One plugin: its tools and handlers. */
export class Plugin {
  /** @param identity Instead of the manifest's name and version, for servers without one. */
  constructor(identity?: { name?: string; version?: string });
  /** Register a tool; after `run()` the other side is told that the list has changed. */
  tool<const Input extends ObjectSchema>(
    name: string,
    spec: ToolSpec<Input> & { input: Input },
    run: (args: FromSchema<Input>, ctx: Context) => Awaitable<Returnable | void>,
  ): this;
  tool(
    name: string,
    spec: ToolSpec & { input?: undefined },
    run: (args: { [name: string]: unknown }, ctx: Context) => Awaitable<Returnable | void>,
  ): this;
  /** Handle an event the manifest subscribes to. */
  on<Payload = any>(event: string, handler: (event: PluginEvent<Payload>, ctx: Context) => unknown): this;
  /** Decide at a hook point the manifest names; one handler for each point. */
  hook<Facts = any>(
    point: string,
    handler: (context: Facts, ctx: Context) => Awaitable<HookDecision | void>,
  ): this;
  /** Runs before the first call, and again when the settings change; throwing refuses the start. */
  onInit(handler: (settings: { readonly [key: string]: any }, ctx: Context) => unknown): this;
  /** Runs once before the process ends in good order. */
  onCleanup(handler: () => unknown): this;
  /** Return what the next generation of this plugin needs to know. */
  onSnapshot(handler: (ctx: Context) => Awaitable<Json | void>): this;
  /** Take over what the last generation returned; throwing refuses it. */
  onRestore(handler: (state: any, ctx: Context) => unknown): this;
  /** Channel adapters: the platform's payload to messages. */
  onChannelParse(
    handler: (
      payload: any,
      headers: { readonly [name: string]: string },
      ctx: Context,
    ) => Awaitable<readonly unknown[]>,
  ): this;
  /** Channel adapters: a message to the platform's payload. */
  onChannelFormat(handler: (message: any, ctx: Context) => unknown): this;
  /** Ask the host for more time while `onInit` runs: up to 60 s from the start in all. */
  extendStart(seconds: number): Promise<void>;
  /** Serve: the last line of an entry. Settings, calls and events arrive from here on. */
  run(): void;
}

/** The plugin of this process. */
export const plugin: Plugin;
