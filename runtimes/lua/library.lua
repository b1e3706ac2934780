-- What plugin code finds: the parts of Lua's library that stay inside the process and
-- can be stopped.
--
-- sandbox.lua runs this once, with the functions that catch errors or make coroutines,
-- and gets the environment.  A new table is filled; nothing is removed from the real one.

local guard = ...

local error, pairs, rawequal, rawget, select, tonumber, tostring, type =
  error, pairs, rawequal, rawget, select, tonumber, tostring, type
local raw_load, raw_getmetatable, raw_setmetatable = load, getmetatable, setmetatable
local byte, find, rep, sub = string.byte, string.find, string.rep, string.sub
local concat, insert, remove, sort = table.concat, table.insert, table.remove, table.sort
local resume, close = coroutine.resume, coroutine.close
local date = os.date
local unless_stopped = guard.unless_stopped

-- Longest string that string.rep makes: the largest message there can be (64 MiB), and
-- 50 ms of a C function that cannot be interrupted.
local LONGEST_REP_BYTES = 64 * 1024 * 1024

local E = {}
E._G = E
E.pcall = guard.pcall
E.xpcall = guard.xpcall

local function copied(library, names)
  local copy = {}
  for _, name in pairs(names) do copy[name] = library[name] end
  return copy
end

for name, value in pairs(copied(_G, {
  "assert", "error", "ipairs", "next", "pairs", "rawequal", "rawget", "rawlen", "rawset",
  "select", "tonumber", "tostring", "type", "_VERSION",
})) do
  E[name] = value
end
E.math = {}
for name, value in pairs(math) do E.math[name] = value end
E.utf8 = {}
for name, value in pairs(utf8) do E.utf8[name] = value end
E.string = copied(string, {
  "byte", "char", "find", "format", "gmatch", "gsub", "len", "lower", "match", "pack",
  "packsize", "reverse", "sub", "unpack", "upper",
})
E.table = copied(table, { "pack", "unpack" })
E.coroutine = copied(coroutine, { "isyieldable", "running", "status", "yield" })
E.os = copied(os, { "clock", "difftime", "time" })

-- ---------------------------------------------------------------- basic functions

function E.print(...)
  local words = {}
  for index = 1, select("#", ...) do words[index] = tostring((select(index, ...))) end
  guard.print(concat(words, "\t"))
end

-- Only tables have a metatable that is the plugin's own.
function E.getmetatable(value)
  if type(value) ~= "table" then return nil end
  return raw_getmetatable(value)
end

function E.setmetatable(value, metatable)
  -- Finalizers run with hooks off: a loop in one could not be stopped.
  if type(metatable) == "table" and rawget(metatable, "__gc") ~= nil then
    error("setmetatable: plugins have no __gc; release things in plugin.on_cleanup", 2)
  end
  return raw_setmetatable(value, metatable)
end

-- Byte code is not checked by Lua and can break the interpreter.
function E.load(chunk, name, mode, environment)
  if type(chunk) == "string" and byte(chunk) == 27 then
    return nil, "load: plugins load source text only, and this is byte code"
  end
  if environment == nil then environment = E end
  return unless_stopped(raw_load(chunk, name, "t", environment))
end

-- ---------------------------------------------------------------- string and os

function E.string.rep(text, count, separator)
  local times = tonumber(count)
  if times and times > 0 then
    local piece_bytes = #tostring(text) + (separator and #tostring(separator) or 0)
    -- Lua would make nothing out of nothing `count` times over.
    if piece_bytes == 0 then return "" end
    if times > LONGEST_REP_BYTES / piece_bytes then
      error("string.rep: the result would be longer than 64 MiB", 2)
    end
  end
  return rep(text, count, separator)
end

-- The conversions of C99; some C libraries end the process for others.
local CONVERSIONS = "aAbBcdDeFHIjmMnprRStTuwxXyYzZ%"

function E.os.date(format, time)
  format = format or "%c"
  local index = 1
  while index <= #format do
    if sub(format, index, index) == "%" then
      index = index + 1
      local letter = sub(format, index, index)
      if letter == "" or not find(CONVERSIONS, letter, 1, true) then
        error("os.date: '%" .. letter .. "' is not a conversion", 2)
      end
    end
    index = index + 1
  end
  return date(format, time)
end

-- ---------------------------------------------------------------- table

-- The real functions loop in C over #t, and a `__len` may say 2^53.  For a table with a
-- metatable the loop is written in Lua, where the hook can end it.

local function has_metatable(list, name)
  if type(list) ~= "table" then
    error("table." .. name .. ": a table is needed, not a " .. type(list), 3)
  end
  return raw_getmetatable(list) ~= nil
end

function E.table.insert(list, ...)
  if not has_metatable(list, "insert") then return insert(list, ...) end
  local count, position, value = select("#", ...), ...
  if count == 1 then
    list[#list + 1] = position
  elseif count == 2 then
    for index = #list, position, -1 do list[index + 1] = list[index] end
    list[position] = value
  else
    error("table.insert takes a table, perhaps a position, and a value", 2)
  end
end

function E.table.remove(list, ...)
  if not has_metatable(list, "remove") then return remove(list, ...) end
  local length = #list
  local position = (...) or length
  local removed = list[position]
  for index = position, length - 1 do list[index] = list[index + 1] end
  if position <= length then list[length] = nil end
  return removed
end

function E.table.concat(list, separator, first, last)
  if not has_metatable(list, "concat") then return concat(list, separator, first, last) end
  local plain = {}
  first, last = first or 1, last or #list
  for index = first, last do plain[index - first + 1] = list[index] end
  return concat(plain, separator, 1, last - first + 1)
end

function E.table.sort(list, before)
  if not has_metatable(list, "sort") then return sort(list, before) end
  local plain = {}
  for index = 1, #list do plain[index] = list[index] end
  sort(plain, before)
  for index = 1, #plain do list[index] = plain[index] end
end

-- In Lua throughout: the real one copies nothing 2^53 times without a metatable, too.
function E.table.move(from, first, last, target, to)
  to = to or from
  if target > last or target <= first or not rawequal(from, to) then
    for index = 0, last - first do to[target + index] = from[first + index] end
  else
    for index = last - first, 0, -1 do to[target + index] = from[first + index] end
  end
  return to
end

-- ---------------------------------------------------------------- coroutine

local function pass_on(ok, ...)
  if ok then return ... end
  error((...), 0)
end

function E.coroutine.create(fn) return guard.new_coroutine(fn) end

function E.coroutine.resume(thread, ...) return unless_stopped(resume(thread, ...)) end

function E.coroutine.wrap(fn)
  local thread = guard.new_coroutine(fn)
  return function(...) return pass_on(unless_stopped(resume(thread, ...))) end
end

function E.coroutine.close(thread) return unless_stopped(close(thread)) end

return E
