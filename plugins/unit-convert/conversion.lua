-- Converts a number between two units, exactly, and says what cannot be.

local dimensions = require "dimensions"
local quantity = require "quantity"
local ratio = require "ratio"

local conversion = {}

local NOTES = {
  compound = "°C and °F inside a compound unit are temperature differences: "
    .. "1 °C is 1 K, 1 °F is 5/9 K",
  measured = "%s is defined by measurement; its own uncertainty is larger than any rounding here",
}

local function is_scale(unit) return unit.lone ~= nil and unit.lone.offset ~= nil end

local function is_temperature(unit)
  return unit.lone ~= nil and unit.dims[5] == 1 and dimensions.write(unit.dims) == "temperature"
end

-- What a person may have meant by two units that do not fit.
local function hint(from, to)
  if dimensions.inverse_of(from.dims, to.dims) then
    return "; one is the other's inverse: convert 1/value"
  end
  local letters = { C = "°C", F = "°F" }
  for _, unit in ipairs { from, to } do
    if letters[unit.text] then
      return ("; %s is the %s, write %s for the temperature")
        :format(unit.text, unit.lone.name, letters[unit.text])
    end
  end
  return ""
end

local function check_dimensions(from, to)
  if dimensions.equal(from.dims, to.dims) then return end
  local left, right = dimensions.write(from.dims), dimensions.write(to.dims)
  error {
    message = ("cannot convert %s to %s: %s is %s, %s is %s%s")
      :format(from.text, to.text, from.text, left, to.text, right, hint(from, to)),
    details = { from = left, to = right },
  }
end

local function offset_of(unit)
  if unit.lone and unit.lone.offset then return ratio.read(unit.lone.offset) end
  return ratio.read "0"
end

local function check_no_difference(from, to)
  for _, unit in ipairs { from, to } do
    if unit.lone.difference then
      error {
        message = ("cannot convert %s to %s: one is a temperature difference, the other a "
          .. "temperature; write Δ°C, Δ°F or K for both"):format(from.text, to.text),
        details = { from = from.text, to = to.text },
      }
    end
  end
end

-- Between temperature scales: through kelvin, with each scale's zero.
local function on_scales(value, from, to)
  check_no_difference(from, to)
  local kelvin = ratio.multiply(ratio.add(value, offset_of(from)), from.factor)
  if ratio.is_negative(kelvin) then
    error {
      message = ("%s %s is below absolute zero; for a temperature difference write Δ°C, Δ°F or K")
        :format(ratio.write(value), from.text),
      details = { unit = from.text },
    }
  end
  return ratio.add(ratio.divide(kelvin, to.factor), ratio.negated(offset_of(to))), true
end

local function by_factor(value, from, to)
  local factor = ratio.divide(from.factor, to.factor)
  return quantity.with_pi(ratio.multiply(value, factor), from.pi - to.pi)
end

local function notes_of(...)
  local notes, seen = {}, {}
  local function add(note)
    if not seen[note] then notes[#notes + 1] = note end
    seen[note] = true
  end
  for _, unit in ipairs { ... } do
    for _, part in ipairs(unit.parts) do
      if part.unit.offset and not unit.lone then add(NOTES.compound) end
      if part.unit.measured then add(NOTES.measured:format(part.unit.symbol)) end
    end
  end
  return notes
end

conversion.notes_of = notes_of

--- The number nearest to a ratio, its decimal text, and whether the text is all of it.
function conversion.written(value, what)
  local decimal, whole = ratio.write(value)
  local number = ratio.to_number(decimal)
  if not number then
    error { message = ("%s is %s, which no double can hold"):format(what, decimal) }
  end
  return number, decimal, whole
end

--- Converts `value`, a number, from one unit to the other; both as expression.read gives.
function conversion.convert(value, from, to)
  check_dimensions(from, to)
  local scales = is_temperature(from) and is_temperature(to) and (is_scale(from) or is_scale(to))
  local convert = scales and on_scales or by_factor
  local result, exact = convert(ratio.of_number(value), from, to)
  local number, decimal, whole = conversion.written(result, "the result")
  return {
    value = number, unit = to.text, decimal = decimal, exact = exact and whole,
    dimension = dimensions.write(from.dims), notes = notes_of(from, to),
  }
end

return conversion
