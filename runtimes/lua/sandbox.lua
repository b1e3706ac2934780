-- How plugin code is run, and how it is made to stop.
--
-- The runner runs this chunk once, before any plugin code, with the functions of its
-- Python side and the source of library.lua.  It returns the environment, the way in
-- (`call`) and the module loader.
--
-- The interpreter is not the security boundary: the process is.  This file keeps ordinary
-- code from reaching the process by accident, and keeps a call stoppable.  Once plugin code
-- has run, nothing here may use a library function or a string method but through a local:
-- plugin code can replace what the tables hold.

local functions, library_source = ...

local error, getmetatable, pairs, rawequal, rawget, setmetatable, tostring, type =
  error, getmetatable, pairs, rawequal, rawget, setmetatable, tostring, type
local raw_pcall, raw_xpcall, raw_load = pcall, xpcall, load
local getinfo, sethook, traceback = debug.getinfo, debug.sethook, debug.traceback
local create = coroutine.create
local find, gsub, utf8_length = string.find, string.gsub, utf8.len
local collect = collectgarbage

-- The name the runner loads our files under, and how it looks in messages.
local OURS = "=[plughost]"
local OURS_PREFIX = "^%[plughost%]:%d+: "

-- Lua instructions between two questions whether the call was cancelled: about 0.1 ms of
-- Lua.  The price is being armed, which halves Lua's speed, not being called: steps of
-- 1 000 and of 100 000 cost the same.
local STEP = 10000

-- The Python side, each function behind a wall: what fails on the way there (a string
-- that is not UTF-8) is a Python exception, and plugin code must never hold one.
local host = {}

local function answer(ok, ...)
  if ok then return ... end
  error("a string given to the host is not UTF-8 text", 3)
end

for _, name in pairs { "add_handler", "add_tool", "ask", "must_stop", "print", "read_module",
  "refused", "run" } do
  local fn = functions[name]
  host[name] = function(...) return answer(raw_pcall(fn, ...)) end
end

-- ---------------------------------------------------------------- stopping

-- Why the running call must end, or nil.  Set once, cleared when the next call begins:
-- between the two no plugin code runs on, whatever it catches.
local stopped
-- Functions of this file that must run to their end although the call is stopped.
local leaving = {}

local function hook()
  if not stopped then
    stopped = host.must_stop() or nil
    if not stopped then
      -- A coroutine that outlived an earlier, stopped call counts every instruction.
      sethook(hook, "", STEP)
      return
    end
  end
  sethook(hook, "", 1)
  if not leaving[getinfo(2, "f").func] then error(stopped, 0) end
end

local function stop(reason)
  stopped = reason
  error(reason, 0)
end

-- Every function that catches errors passes its results through here.
local function unless_stopped(...)
  if stopped then error(stopped, 0) end
  return ...
end

local function protected_call(fn, ...)
  return unless_stopped(raw_pcall(fn, ...))
end

local function protected_call_with_handler(fn, handler, ...)
  return unless_stopped(raw_xpcall(fn, function(problem)
    if stopped then return problem end
    return handler(problem)
  end, ...))
end

local function settle(ok, ...)
  if ok then return ... end
  error((...), 0)
end

-- The count hook belongs to one coroutine, so every new one gets its own.
-- The body runs inside a pcall: an error that leaves the hook of a coroutine with nothing
-- to catch it there leaves hooks switched off in that coroutine, and a `__close` that a
-- later call runs in it, with coroutine.close, could then never be stopped.
local function new_coroutine(fn)
  if type(fn) ~= "function" then
    error("a coroutine needs a function, not a " .. type(fn), 3)
  end
  local made = create(function(...) return settle(raw_pcall(fn, ...)) end)
  sethook(made, hook, "", STEP)
  return made
end

-- ------------------------------------------------------------- environment

local E = raw_load(library_source, OURS, "t") {
  print = host.print,
  pcall = protected_call,
  xpcall = protected_call_with_handler,
  unless_stopped = unless_stopped,
  new_coroutine = new_coroutine,
}

-- ----------------------------------------------------------------- modules

local loaded = {}
local LOADING = {}
-- The last refusal of the parser: the runner tells a file that can never load from one
-- that failed while it ran.
local syntax_problem

local function compile(source, file)
  local chunk, problem = raw_load(source, "@" .. file, "t", E)
  if not chunk then
    syntax_problem = problem
    error(problem, 0)
  end
  return chunk
end

local function forget_on_error(name)
  return setmetatable({}, {
    __close = function(_, problem)
      if problem ~= nil then loaded[name] = nil end
    end,
  })
end

function E.require(name)
  if type(name) ~= "string" then error("require: a module's name is a string", 2) end
  local module = loaded[name]
  if rawequal(module, LOADING) then
    error("require: '" .. name .. "' is being loaded already: two modules require each other", 2)
  elseif module ~= nil then
    return module
  end
  local source, file = host.read_module(name)
  if not source then error("require: " .. file, 2) end
  loaded[name] = LOADING
  local guard <close> = forget_on_error(name)
  module = compile(source, file)(name, file)
  if module == nil then module = true end
  loaded[name] = module
  return module
end

-- ---------------------------------------------------------------- the way in

-- Where plugin code was when a function of ours, or one of C it called through ours,
-- raised an error: "main.lua:12: ".
local function place()
  for level = 3, 32 do
    local frame = getinfo(level, "Sl")
    if not frame then return "" end
    if frame.currentline > 0 and frame.source ~= OURS then
      return frame.short_src .. ":" .. frame.currentline .. ": "
    end
  end
  return ""
end

-- What the caller learns about an error, from where it was raised.
local function explain(problem)
  -- The hook stays armed: `__close` handlers run after this.
  if stopped then return nil end
  local text = problem
  if type(problem) == "table" then text = rawget(problem, "message") or problem end
  text = tostring(text)
  -- It leaves in JSON.
  if not utf8_length(text) then text = gsub(text, "[\128-\255]", "?") end
  if find(text, OURS_PREFIX) then text = place() .. gsub(text, OURS_PREFIX, "") end
  return { problem = problem, text = text, traceback = traceback(text, 2) }
end

local function outcome(ok, first, ...)
  sethook()
  if stopped then return "stopped", stopped end
  if ok then return "ok", first, ... end
  if type(first) ~= "table" then
    -- Lua could not run `explain`: memory or the C stack ran out.
    collect()
    return "failed", nil, tostring(first), tostring(first)
  end
  local problem = first.problem
  if type(problem) ~= "table" then problem = nil end
  return "failed", problem, first.text, first.traceback
end

-- Runs one function of the plugin and says how it ended:
-- "ok", results… | "failed", table that was raised, text, traceback | "stopped", reason.
local function call(fn, ...)
  stopped = nil
  sethook(hook, "", STEP)
  return outcome(raw_xpcall(fn, explain, ...))
end

leaving[explain], leaving[outcome], leaving[call] = true, true, true

local function load_entry(source, file)
  return call(function() compile(source, file)(file) end)
end

-- ------------------------------------------------------------------ closing

-- The methods of every string are those of the plugin's own table.
local strings = getmetatable ""
strings.__index = E.string
strings.__metatable = false

-- The real globals, lupa's `python` among them, end here.
for name in pairs(_G) do
  if name ~= "_G" then _G[name] = nil end
end
_G._G = nil

return {
  environment = E,
  host = host,
  stop = stop,
  call = call,
  load_entry = load_entry,
  loaded = loaded,
  syntax_problem = function() return syntax_problem end,
}
