// Checked by `tsc --noEmit`, never run: what must compile compiles, and what must not does not.

import { CancelledError, content, Plugin, plugin, PlughostError, ToolError } from "@plughost/sdk";
import type { Context, FromSchema, HttpResponse, LlmAnswer } from "@plughost/sdk";

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
function holds<_Fact extends true>(): void {}

const schema = {
  type: "object",
  properties: {
    text: { type: "string" },
    top: { type: "integer", default: 10 },
    mode: { enum: ["fast", "exact"] },
    tags: { type: "array", items: { type: "string" } },
    note: { type: ["string", "null"] },
  },
  required: ["text", "note"],
} as const;
type Arguments = FromSchema<typeof schema>;
holds<
  Same<
    Arguments,
    { text: string; note: string | null; top?: number; mode?: "fast" | "exact"; tags?: string[] }
  >
>();

plugin.tool("count", { description: "Count.", input: schema, idempotent: true }, ({ text, mode }, ctx) => {
  holds<Same<typeof text, string>>();
  holds<Same<typeof mode, "fast" | "exact" | undefined>>();
  holds<Same<typeof ctx, Context>>();
  return { words: text.length, mode };
});

// A schema written in place is inferred without `as const`.
plugin.tool(
  "inline",
  {
    description: "In place.",
    input: { type: "object", properties: { n: { type: "number" } }, required: ["n"] },
    output: { type: "number" },
    longRunning: true,
  },
  async ({ n }, ctx) => {
    holds<Same<typeof n, number>>();
    ctx.progress(1, 2, "half");
    ctx.log("note", "warning", { n });
    const known = await ctx.state.get("total", 0);
    await ctx.state.set("total", known + n);
    const page: HttpResponse = await ctx.http("GET", new URL("https://example.com/"), {
      headers: { accept: "*/*" },
    });
    const answer: LlmAnswer = await ctx.llm("Hello", { maxTokens: 10 });
    const total = await ctx.call<number>("unit-convert", "sum", { n }, { timeoutS: 1 });
    await ctx.emit("text.indexed", { total, status: page.status, text: answer.text });
    if (ctx.signal.aborted || ctx.cancelled) throw new CancelledError("stop");
    return ctx.deadlineS ?? ctx.deadline_s ?? known;
  },
);

plugin.tool("free", { description: "Any object." }, (args) => String(args["anything"]));
plugin.tool("nothing", { description: "Returns nothing." }, () => {});
plugin.tool("blocks", { description: "Blocks." }, () =>
  content(["text", { type: "image", data: "", mimeType: "image/png" }], [1]),
);
plugin.tool("when", { description: "A date." }, () => new Date());

plugin
  .on<{ id: number }>("session_end", async (event) => event.payload.id)
  .hook("tool_call", (facts) => (facts.tool === "rm" ? { decision: "deny", message: "no" } : undefined))
  .onInit(async (settings) => {
    await plugin.extendStart(settings.seconds);
  })
  .onCleanup(() => {})
  .onSnapshot(() => ({ total: 1 }))
  .onRestore((state) => state.total)
  .onChannelParse((payload, headers) => [{ text: payload.text, from: headers["x-from"] }])
  .onChannelFormat((message) => ({ text: message.text }));

const other = new Plugin({ name: "other", version: "1.0.0" });
const failure: Error = new ToolError("no such file", { retryable: true, details: { path: "a" } });
const type: string = new PlughostError("x", { type: "internal" }).type;

// @ts-expect-error a tool needs a description
plugin.tool("bad", {}, () => null);
// @ts-expect-error the input is a schema of type object
plugin.tool("bad", { description: "x", input: { type: "string" } }, () => null);
// @ts-expect-error JSON has no BigInt
plugin.tool("bad", { description: "x" }, () => 1n);
// @ts-expect-error JSON has no functions
plugin.tool("bad", { description: "x" }, () => ({ f: () => 1 }));
// @ts-expect-error a hook allows or denies
plugin.hook("tool_call", () => ({ decision: "maybe" }));
// @ts-expect-error not a level of MCP's
plugin.tool("bad", { description: "x" }, (_args, ctx) => ctx.log("x", "loud"));
// @ts-expect-error an image block has data
content([{ type: "image", mimeType: "image/png" }]);
// @ts-expect-error an argument the schema does not have
plugin.tool("bad", { description: "x", input: schema }, ({ missing }) => String(missing));

plugin.run();
export { failure, other, type };
