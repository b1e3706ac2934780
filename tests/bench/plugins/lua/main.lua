-- An echo with one string parameter.
local plugin = require "plughost"

plugin.tool {
  name = "echo",
  description = "Return the text.",
  input = { type = "object", properties = { text = { type = "string" } }, required = { "text" } },
  run = function(args) return { text = args.text } end,
}
plugin.run()
