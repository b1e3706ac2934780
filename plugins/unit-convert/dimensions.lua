-- What a unit measures: powers of nine base dimensions, and the words for them.
--
-- Angle and information are dimensions here although the SI counts both as numbers:
-- so rpm is not taken for hertz, nor bit/s for it.

local dimensions = {}

--- The base dimensions in the order they are written, with the unit that stands for each.
dimensions.bases = {
  { name = "mass", unit = "kg" },
  { name = "length", unit = "m" },
  { name = "time", unit = "s" },
  { name = "current", unit = "A" },
  { name = "temperature", unit = "K" },
  { name = "amount", unit = "mol" },
  { name = "luminosity", unit = "cd" },
  { name = "angle", unit = "rad" },
  { name = "information", unit = "bit" },
}

local SUPERSCRIPTS = {
  ["-"] = "⁻", ["0"] = "⁰", ["1"] = "¹", ["2"] = "²", ["3"] = "³", ["4"] = "⁴",
  ["5"] = "⁵", ["6"] = "⁶", ["7"] = "⁷", ["8"] = "⁸", ["9"] = "⁹",
}

-- Names of quantities, each by a unit that measures it.  Where the SI has two quantities
-- of one dimension (energy and torque), the commoner name stands.
local QUANTITIES = {
  acceleration = "m/s²", ["amount concentration"] = "mol/m³", ["angular speed"] = "rad/s",
  ["angular acceleration"] = "rad/s²", area = "m²", capacitance = "F",
  ["catalytic activity"] = "kat", charge = "C", ["charge density"] = "C/m³",
  ["data rate"] = "bit/s", density = "kg/m³", ["dynamic viscosity"] = "Pa s",
  ["electric conductance"] = "S", ["electric field"] = "V/m", energy = "J",
  ["energy density per mass"] = "J/kg", entropy = "J/K", force = "N", frequency = "Hz",
  illuminance = "lm/m²", inductance = "H",
  ["kinematic viscosity"] = "m²/s", ["luminous flux"] = "lm", ["magnetic flux"] = "Wb",
  ["magnetic flux density"] = "T", ["mass flow"] = "kg/s", ["molar energy"] = "J/mol",
  ["molar mass"] = "kg/mol", momentum = "kg m/s", ["area density"] = "kg/m²",
  power = "W", ["power density"] = "W/m²", pressure = "Pa", resistance = "ohm",
  ["solid angle"] = "rad²", ["specific heat"] = "J/(kg K)", speed = "m/s",
  ["surface tension"] = "N/m", ["thermal conductivity"] = "W/(m K)", voltage = "V",
  volume = "m³", ["volume flow"] = "m³/s", wavenumber = "1/m", number = "1",
}

function dimensions.none() return { 0, 0, 0, 0, 0, 0, 0, 0, 0 } end

--- left plus `times` right.
function dimensions.combined(left, right, times)
  local sum = {}
  for index = 1, #dimensions.bases do sum[index] = left[index] + right[index] * times end
  return sum
end

function dimensions.equal(left, right)
  for index = 1, #dimensions.bases do
    if left[index] ~= right[index] then return false end
  end
  return true
end

--- Whether one is the other's reciprocal (and not equal to it).
function dimensions.inverse_of(left, right)
  return not dimensions.equal(left, right)
    and dimensions.equal(left, dimensions.combined(dimensions.none(), right, -1))
end

local function raised(exponent)
  if exponent == 1 then return "" end
  return (("%d"):format(exponent):gsub(".", SUPERSCRIPTS))
end

dimensions.raised = raised

-- Positive exponents first, as people write them: length·time⁻¹, not time⁻¹·length.
local function written(dims, field)
  local above, below = {}, {}
  for index, base in ipairs(dimensions.bases) do
    local exponent = dims[index]
    if exponent > 0 then
      above[#above + 1] = base[field] .. raised(exponent)
    elseif exponent < 0 then
      below[#below + 1] = base[field] .. raised(exponent)
    end
  end
  table.move(below, 1, #below, #above + 1, above)
  return above
end

--- "length·time⁻¹", or "number" for none.
function dimensions.write(dims)
  local parts = written(dims, "name")
  return #parts > 0 and table.concat(parts, "·") or "number"
end

--- The coherent SI unit: "kg·m·s⁻²", or "1".
function dimensions.si_unit(dims)
  local parts = written(dims, "unit")
  return #parts > 0 and table.concat(parts, "·") or "1"
end

--- Every name of a quantity with the unit it is defined by.
function dimensions.quantities()
  local all = {}
  for name, unit in pairs(QUANTITIES) do all[name] = unit end
  for _, base in ipairs(dimensions.bases) do all[base.name] = base.unit end
  return all
end

return dimensions
