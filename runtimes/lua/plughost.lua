-- The SDK that plugins written in Lua require: `local plugin = require "plughost"`.
--
--   plugin.tool { name = "greet", description = "Greets.", run = function(args, ctx) … end }
--   plugin.on("session_end", function(event) … end)
--   plugin.run()
--
-- It checks what the author wrote where they wrote it, and hands it to the runner.
-- It runs in the plugin's environment, before the plugin: every library function it
-- needs is a local from the start, because plugin code can replace what tables hold.

local host, stop = ...

local error, next, pairs, rawequal, rawget, rawset, setmetatable, tostring, type =
  error, next, pairs, rawequal, rawget, rawset, setmetatable, tostring, type
local concat, sort, math_type = table.concat, table.sort, math.type

local plughost = {}

-- ------------------------------------------------------------------ values

-- JSON has arrays, objects and null; Lua has tables and nil.  What a table was made
-- as is remembered beside it, not in it: plugin code sees a plain table.
local kinds = setmetatable({}, { __mode = "k" })

local function marked(kind)
  return function(table)
    if table == nil then table = {} end
    if type(table) ~= "table" then
      error("plughost." .. kind .. " takes a table, not a " .. type(table), 2)
    end
    kinds[table] = kind
    return table
  end
end

--- Makes an empty table travel as [].  A table with elements needs no mark.
plughost.array = marked "array"

--- Makes an empty table travel as {}, whatever the schema says.
plughost.object = marked "object"

--- JSON's null, both ways.  It is a value: it is true in a condition, so compare with it.
plughost.null = setmetatable({}, {
  __tostring = function() return "null" end,
  __newindex = function() error("plughost.null has no fields", 2) end,
  __metatable = false,
})
kinds[plughost.null] = "null"

--- Content blocks of MCP (text, image, audio, resource, resource_link) as a tool's
--- result, with or without `data` beside them.
function plughost.content(blocks, data)
  if type(blocks) ~= "table" then
    error("plughost.content takes a list of content blocks, not a " .. type(blocks), 2)
  end
  local result = { blocks = blocks, data = data }
  kinds[result] = "content"
  return result
end

-- For the runner: what a table is, and for a list how long; or why it is no JSON.
local function inspect(table)
  local kind = kinds[table]
  if kind == "null" or kind == "content" then return kind, 0 end
  local elements, names, highest = 0, 0, 0
  for key in next, table do
    if math_type(key) == "integer" and key > 0 then
      elements = elements + 1
      if key > highest then highest = key end
    elseif type(key) == "string" then
      names = names + 1
    else
      return "bad", "a key is a " .. type(key) .. " (" .. tostring(key) .. ")"
    end
  end
  if elements > 0 and names > 0 then
    return "bad", "it has both elements and named fields"
  elseif elements ~= highest then
    return "bad", "its elements have gaps; put plughost.null where nothing is"
  elseif elements > 0 then
    if kind == "object" then return "bad", "it is marked as an object and has elements" end
    return "array", elements
  elseif names > 0 then
    if kind == "array" then return "bad", "it is marked as an array and has named fields" end
    return "object", names
  end
  return kind or "empty", 0
end

-- ------------------------------------------------------------------ context

-- A refusal of the host, or a failure of another plugin's tool.
-- tostring() gives the message; `type` is a name of contracts/errors.json.
local refusal = {
  __tostring = function(problem) return rawget(problem, "message") end,
}

local function answered(status, value, kind, retryable, details)
  if status == "ok" then return value end
  if status == "stopped" then stop(value) end
  error(setmetatable(
    { message = value, type = kind, retryable = retryable, details = details }, refusal), 0)
end

-- The number of the call a context belongs to.  The host refuses a context whose call
-- has ended, so one that was kept cannot act in another call's name.
local numbers = setmetatable({}, { __mode = "k" })

local function no_colon(name, owner, ...)
  if owner ~= nil and rawequal(owner, (...)) then
    error("write " .. name .. "(…) with a dot, not a colon", 3)
  end
end

local function method(name, operation)
  return function(number, owner)
    return function(...)
      no_colon(name, owner, ...)
      return answered(host.ask(number, operation, ...))
    end
  end
end

local function field(operation)
  return function(number)
    return answered(host.ask(number, operation))
  end
end

local state_methods = {
  get = method("ctx.state.get", "state_get"),
  set = method("ctx.state.set", "state_set"),
  delete = method("ctx.state.delete", "state_delete"),
  list = method("ctx.state.list", "state_list"),
}

local members = {
  progress = method("ctx.progress", "progress"),
  log = method("ctx.log", "log"),
  cancelled = method("ctx.cancelled", "cancelled"),
  deadline_s = method("ctx.deadline_s", "deadline_s"),
  call = method("ctx.call", "call"),
  emit = method("ctx.emit", "emit"),
  http = method("ctx.http", "http"),
  llm = method("ctx.llm", "llm"),
  call_id = field "call_id",
  chain = field "chain",
  settings = field "settings",
  state = function(number)
    local state = {}
    for name, build in pairs(state_methods) do state[name] = build(number, state) end
    return state
  end,
}

-- A member is built when it is first used: most calls use none.
local context_class = {
  __index = function(ctx, name)
    local build = members[name]
    if not build then return nil end
    local member = build(numbers[ctx], ctx)
    rawset(ctx, name, member)
    return member
  end,
}

local function context(number)
  local ctx = setmetatable({}, context_class)
  numbers[ctx] = number
  return ctx
end

-- Runs a tool or a handler with `count` arguments and the context of call `number`.
local function with_context(run, number, count, first, second)
  if count == 0 then return run(context(number)) end
  if count == 1 then return run(first, context(number)) end
  return run(first, second, context(number))
end

-- -------------------------------------------------------------------- JSON

-- The number of no call: JSON needs none.
local NO_CALL = 0

plughost.json = {}

--- Reads JSON text; null becomes plughost.null.
function plughost.json.decode(text) return answered(host.ask(NO_CALL, "json_decode", text)) end

--- Writes a value as JSON text.
function plughost.json.encode(value) return answered(host.ask(NO_CALL, "json_encode", value)) end

-- ------------------------------------------------------------- registration

local running = false

-- What is declared wrongly can never work: the runner is told, and does not restart.
-- `level` counts from the caller, as in error().
local function refuse(problem, level)
  host.refused()
  error(problem, level + 1)
end

local function before_run(what)
  if running then refuse(what .. " must come before plugin.run()", 3) end
end

local function checked(ok, problem)
  if not ok then refuse(problem, 3) end
end

local TOOL_FIELDS = {
  name = "string",
  description = "string",
  input = "table",
  output = "table",
  idempotent = "boolean",
  long_running = "boolean",
  run = "function",
}

local function field_names()
  local names = {}
  for name in pairs(TOOL_FIELDS) do names[#names + 1] = name end
  sort(names)
  return concat(names, ", ")
end

local function checked_tool(tool)
  if type(tool) ~= "table" then
    refuse("plugin.tool takes a table: plugin.tool { name = …, description = …, run = … }", 3)
  end
  for name, value in next, tool do
    local expected = TOOL_FIELDS[name]
    if not expected then
      refuse("plugin.tool: '" .. tostring(name) .. "' is not a field of a tool; they are "
        .. field_names(), 3)
    elseif type(value) ~= expected then
      refuse("plugin.tool: " .. name .. " must be a " .. expected .. ", not a " .. type(value), 3)
    end
  end
  for _, name in next, { "name", "description", "run" } do
    if rawget(tool, name) == nil then refuse("plugin.tool: " .. name .. " is missing", 3) end
  end
end

--- Offers a tool.  Fields: name, description, run(args, ctx), and optionally input and
--- output (JSON Schemas), idempotent, long_running.
function plughost.tool(tool)
  before_run "plugin.tool"
  checked_tool(tool)
  checked(host.add_tool(tool))
end

local function registrar(kind)
  return function(name, handler)
    before_run("plugin." .. kind)
    if type(name) ~= "string" then
      refuse("plugin." .. kind .. ": the first argument is a name, not a " .. type(name), 2)
    elseif type(handler) ~= "function" then
      refuse("plugin." .. kind .. ": the second argument is a function, not a " .. type(handler), 2)
    end
    checked(host.add_handler(kind, name, handler))
  end
end

local function sole_registrar(kind)
  return function(handler)
    before_run("plugin." .. kind)
    if type(handler) ~= "function" then
      refuse("plugin." .. kind .. " takes a function, not a " .. type(handler), 2)
    end
    checked(host.add_handler(kind, "", handler))
  end
end

--- Handles an event: handler(event, ctx).
plughost.on = registrar "on"
--- Answers a hook point: handler(context, ctx) returns nil, "allow", "deny" or
--- { decision, message, patch }.
plughost.hook = registrar "hook"
--- Runs before the first call, and again when settings change: handler(settings, ctx).
--- An error refuses the start.
plughost.on_init = sole_registrar "on_init"
--- Runs when the plugin is asked to stop: handler(ctx).
plughost.on_cleanup = sole_registrar "on_cleanup"
--- Returns what the next generation of this plugin should know: handler(ctx) -> state.
plughost.on_snapshot = sole_registrar "on_snapshot"
--- Takes over what on_snapshot returned: handler(state, ctx).
plughost.on_restore = sole_registrar "on_restore"
--- Channel adapters: handler(payload, headers, ctx) -> messages.
plughost.on_channel_parse = sole_registrar "on_channel_parse"
--- Channel adapters: handler(message, ctx) -> payload.
plughost.on_channel_format = sole_registrar "on_channel_format"

--- Says that the plugin is complete.  Serving begins when the entry has ended.
function plughost.run()
  if running then refuse("plugin.run() was called before", 2) end
  running = true
  host.run()
end

return plughost, { inspect = inspect, mark = function(table, kind) kinds[table] = kind end,
  with_context = with_context, null = plughost.null }
