-- unit-convert: converts, explains and lists units, with exact arithmetic.

local plugin = require "plughost"

local catalogue = require "catalogue"
local conversion = require "conversion"
local dimensions = require "dimensions"
local expression = require "expression"
local quantity = require "quantity"
local ratio = require "ratio"
local suggest = require "suggest"
local units = require "units"

-- Longer than any unit in use; a page of text is a mistake.
local LONGEST_UNIT = 200

local function unit_schema(description)
  return { type = "string", minLength = 1, maxLength = LONGEST_UNIT, description = description }
end

local NOTES = {
  type = "array", items = { type = "string" },
  description = "What to keep in mind about the result.",
}

-- Arguments come checked from a host; run alone, the plugin may have an MCP client that
-- does not check.
local function unit_argument(args, name)
  local text = args[name]
  if type(text) ~= "string" or #text > 4 * LONGEST_UNIT then
    error { message = ("%s must be a unit, a text of at most %d characters"):format(name, LONGEST_UNIT) }
  end
  return expression.read((text:match "^%s*(.-)%s*$"))
end

-- ------------------------------------------------------------------ convert

plugin.tool {
  name = "convert",
  description = "Converts a value between units, exactly and with dimensional checking. "
    .. "Compound units, prefixes and powers are read as people write them: km/h, "
    .. "kg·m·s⁻², lb*ft/s^2, miles per hour, L/100 km, kWh, MiB/s, °F.",
  input = {
    type = "object",
    properties = {
      value = { type = "number", description = "The amount of `from`." },
      from = unit_schema "The unit of the value, as mi/h.",
      to = unit_schema "The unit wanted, as m/s.",
    },
    required = { "value", "from", "to" },
    additionalProperties = false,
  },
  output = {
    type = "object",
    properties = {
      value = { type = "number", description = "The result, rounded once to the nearest double." },
      unit = { type = "string", description = "The unit of the result." },
      decimal = {
        type = "string",
        description = "The result with up to 34 significant digits.",
      },
      exact = { type = "boolean", description = "Whether `decimal` is the exact result." },
      dimension = { type = "string", description = "What was converted, as length·time⁻¹." },
      notes = NOTES,
    },
    required = { "value", "unit", "decimal", "exact", "dimension", "notes" },
  },
  idempotent = true,
  run = function(args)
    if type(args.value) ~= "number" then error { message = "value must be a number" } end
    local from, to = unit_argument(args, "from"), unit_argument(args, "to")
    return conversion.convert(args.value, from, to)
  end,
}

-- ----------------------------------------------------------------- describe

local by_dimension

-- The common name of a quantity, or nil.
local function quantity_name(dims)
  if not by_dimension then
    by_dimension = {}
    for name, unit in pairs(dimensions.quantities()) do
      by_dimension[dimensions.write(expression.read(unit).dims)] = name
    end
  end
  return by_dimension[dimensions.write(dims)]
end

local function definition_of(unit)
  if unit.base then return "base unit" end
  return unit.pi and "the ratio of a circle's circumference to its diameter" or unit[3]
end

local function part_of(part)
  local prefix = part.prefix
  return {
    unit = (prefix and prefix[1] or "") .. part.unit.symbol,
    name = (prefix and prefix[2] or "") .. (part.unit.name or part.unit.symbol),
    exponent = part.exponent,
    definition = definition_of(part.unit),
  }
end

plugin.tool {
  name = "describe",
  description = "Explains a unit: its dimension, its value in SI units, and what it is made of.",
  input = {
    type = "object",
    properties = { unit = unit_schema "A unit, as kWh or lb*ft/s^2." },
    required = { "unit" },
    additionalProperties = false,
  },
  output = {
    type = "object",
    properties = {
      unit = { type = "string" },
      dimension = { type = "string", description = "As mass·length²·time⁻²." },
      quantity = {
        type = { "string", "null" },
        description = "The common name of what it measures, as energy.",
      },
      si_unit = { type = "string", description = "The coherent SI unit of this dimension." },
      si_factor = { type = "number", description = "One of this unit in the SI unit." },
      si_decimal = { type = "string", description = "The factor with up to 34 digits." },
      exact = { type = "boolean", description = "Whether `si_decimal` is the exact factor." },
      si_offset = {
        type = "number",
        description = "For temperature scales: K = (value + si_offset) × si_factor.",
      },
      parts = {
        type = "array",
        description = "The units it is made of.",
        items = {
          type = "object",
          properties = {
            unit = { type = "string" },
            name = { type = "string" },
            exponent = { type = "integer" },
            definition = { type = "string" },
          },
          required = { "unit", "name", "exponent", "definition" },
        },
      },
      notes = NOTES,
    },
    required = {
      "unit", "dimension", "quantity", "si_unit", "si_factor", "si_decimal", "exact", "parts", "notes",
    },
  },
  idempotent = true,
  run = function(args)
    local unit = unit_argument(args, "unit")
    local value, exact = quantity.with_pi(unit.factor, unit.pi)
    local number, decimal, whole = conversion.written(value, "the factor of " .. unit.text)
    local parts = plugin.array {}
    for index, part in ipairs(unit.parts) do parts[index] = part_of(part) end
    return {
      unit = unit.text,
      dimension = dimensions.write(unit.dims),
      quantity = quantity_name(unit.dims) or plugin.null,
      si_unit = dimensions.si_unit(unit.dims),
      si_factor = number,
      si_decimal = decimal,
      exact = exact and whole,
      si_offset = unit.lone and unit.lone.offset and tonumber(unit.lone.offset),
      parts = parts,
      notes = conversion.notes_of(unit),
    }
  end,
}

-- --------------------------------------------------------------------- list

local LISTED_UNIT = {
  type = "object",
  properties = {
    unit = { type = "string", description = "The symbol." },
    spellings = {
      type = "array", items = { type = "string" },
      description = "Other symbols and names that are understood.",
    },
    definition = { type = "string" },
    dimension = { type = "string" },
    prefixes = { type = "string", enum = { "none", "SI", "SI from kilo, and binary" } },
  },
  required = { "unit", "spellings", "definition", "dimension", "prefixes" },
}

local LIST = {
  type = "object",
  properties = {
    dimension = { type = { "string", "null" } },
    units = { type = "array", items = LISTED_UNIT },
  },
  required = { "dimension", "units" },
}

local function listed(unit)
  local spellings = {}
  for word in (unit[1] .. " " .. unit[2]):gmatch "%S+" do
    if word ~= unit.symbol then spellings[#spellings + 1] = word end
  end
  return {
    unit = unit.symbol,
    spellings = spellings,
    definition = definition_of(unit),
    dimension = dimensions.write(catalogue.size(unit).dims),
    prefixes = unit.binary and "SI from kilo, and binary" or unit.si and "SI" or "none",
  }
end

local function list(dims)
  local result = { dimension = dims and dimensions.write(dims) or plugin.null, units = {} }
  for index, unit in ipairs(catalogue.of(dims)) do result.units[index] = listed(unit) end
  return result
end

-- "speed", "length·time⁻¹" and "length" all name dimensions.
local function dims_named(name)
  local quantities = dimensions.quantities()
  local unit = quantities[name:lower()]
  if unit then return expression.read(unit).dims end
  for _, defined in pairs(quantities) do
    local dims = expression.read(defined).dims
    if dimensions.write(dims) == name then return dims end
  end
  local near = suggest.near(name, function(visit)
    for known in pairs(quantities) do visit(known) end
  end)
  local known = {}
  for quantity_known in pairs(quantities) do known[#known + 1] = quantity_known end
  table.sort(known)
  error {
    message = ("unknown dimension '%s'; %s"):format(name, #near > 0
      and "did you mean " .. table.concat(near, ", ") .. "?"
      or "known are " .. table.concat(known, ", ")),
    details = { dimension = name, suggestions = plugin.array(near) },
  }
end

plugin.tool {
  name = "list_units",
  description = "Lists the units, all of them or those of one dimension.",
  input = {
    type = "object",
    properties = {
      dimension = {
        type = "string", minLength = 1, maxLength = LONGEST_UNIT,
        description = "A quantity or a dimension, as energy or length·time⁻¹.",
      },
    },
    additionalProperties = false,
  },
  output = LIST,
  idempotent = true,
  run = function(args)
    if args.dimension == nil then return list(nil) end
    if type(args.dimension) ~= "string" or not utf8.len(args.dimension) then
      error { message = "dimension must be a text" }
    end
    return list(dims_named(args.dimension))
  end,
}

plugin.tool {
  name = "compatible",
  description = "Lists the units that a unit can be converted to.",
  input = {
    type = "object",
    properties = { unit = unit_schema "A unit, as km/h." },
    required = { "unit" },
    additionalProperties = false,
  },
  output = LIST,
  idempotent = true,
  run = function(args) return list(unit_argument(args, "unit").dims) end,
}

plugin.run()
