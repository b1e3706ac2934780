-- Finds a unit by what a person wrote: symbol, name, prefix and either, plural.

local dimensions = require "dimensions"
local quantity = require "quantity"
local ratio = require "ratio"
local units = require "units"

local catalogue = {}

local by_symbol, by_name = {}, {}

for _, unit in ipairs(units.all) do
  unit.symbol = unit[1]:match "%S+"
  unit.name = unit[2]:match "%S+"
  for symbol in unit[1]:gmatch "%S+" do by_symbol[symbol] = unit end
  for name in unit[2]:gmatch "%S+" do by_name[name] = unit end
end

-- expression.lua reads definitions, and needs this module to do so.
local read

--- Tells how definitions are read.
function catalogue.read_with(reader) read = reader end

--- What one of `unit` is, in the SI's units.
function catalogue.size(unit)
  if not unit.size then
    if unit.base then
      unit.size = quantity.base(unit.base, ratio.read(unit.scale or "1"))
    elseif unit.pi then
      unit.size = quantity.pi
    else
      unit.size = read(unit[3])
    end
  end
  return unit.size
end

local function prefixed(factor, unit)
  return quantity.combined(quantity.number(factor), catalogue.size(unit), 1)
end

-- "foot" from "foots" is harmless; "inch" from "inches" is not found this way, so the
-- irregular ones are in the table.
local function named(word)
  local lower = word:lower()
  return by_name[lower] or (lower:sub(-1) == "s" and by_name[lower:sub(1, -2)]) or nil
end

local function takes(unit, power)
  return unit.si == true or unit.si == "large" and power >= 3
end

local function head(word, prefix)
  return #word > #prefix and word:sub(1, #prefix) == prefix and word:sub(#prefix + 1) or nil
end

-- Tries every prefix in one spelling (1: symbols, 2: names) with `find` for the rest.
local function with_prefix(word, spelling, find)
  for _, prefix in ipairs(units.si_prefixes) do
    local rest = head(word, prefix[spelling])
    local unit = rest and find(rest)
    if unit and takes(unit, prefix[3]) then
      return unit, ratio.read("1e" .. prefix[3]), prefix
    end
  end
  for _, prefix in ipairs(units.binary_prefixes) do
    local rest = head(word, prefix[spelling])
    local unit = rest and find(rest)
    if unit and unit.binary then
      return unit, ratio.power(ratio.of_number(1024), prefix[3]), prefix
    end
  end
end

local function symbolic(word) return by_symbol[word] end

--- Finds `word`: { unit, size, prefix? }, or nil and a reason if one is known.
function catalogue.find(word)
  if units.refused[word] then return nil, units.refused[word] end
  local unit = by_symbol[word] or named(word)
  if unit then return { unit = unit, size = catalogue.size(unit) } end
  local factor, prefix
  unit, factor, prefix = with_prefix(word, 1, symbolic)
  if not unit then unit, factor, prefix = with_prefix(word:lower(), 2, named) end
  if unit then return { unit = unit, size = prefixed(factor, unit), prefix = prefix } end
end

--- Every unit of these dimensions, or every unit for nil, in the order of the table.
function catalogue.of(dims)
  local found = {}
  for _, unit in ipairs(units.all) do
    if not dims or dimensions.equal(catalogue.size(unit).dims, dims) then
      found[#found + 1] = unit
    end
  end
  return found
end

--- Calls `visit` with every spelling, for suggestions.
function catalogue.each_spelling(visit)
  for symbol, unit in pairs(by_symbol) do
    visit(symbol)
    for _, prefix in ipairs(units.si_prefixes) do
      if takes(unit, prefix[3]) then visit(prefix[1] .. symbol) end
    end
    for _, prefix in ipairs(unit.binary and units.binary_prefixes or {}) do
      visit(prefix[1] .. symbol)
    end
  end
  for name, unit in pairs(by_name) do
    visit(name)
    for _, prefix in ipairs(units.si_prefixes) do
      if takes(unit, prefix[3]) then visit(prefix[2] .. name) end
    end
  end
end

return catalogue
