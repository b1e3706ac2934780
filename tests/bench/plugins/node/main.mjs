// An echo with one string parameter.
import { plugin } from "@plughost/sdk";

plugin.tool(
  "echo",
  {
    description: "Return the text.",
    input: { type: "object", properties: { text: { type: "string" } }, required: ["text"] },
  },
  ({ text }) => ({ text }),
);
plugin.run();
