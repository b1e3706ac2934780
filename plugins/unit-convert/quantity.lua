-- An amount of a unit: an exact factor to the SI's own unit, a power of pi, dimensions.
--
-- pi is kept apart so that what cancels stays exact: 360 degrees are one turn, not
-- 0.99999999999999989 of one.

local bigint = require "bigint"
local dimensions = require "dimensions"
local ratio = require "ratio"

local quantity = {}

-- 60 digits, of which a result keeps 34.
local PI = ratio.read "3.14159265358979323846264338327950288419716939937510582097494"

-- Limbs (of seven digits) a factor may have: 2100 digits, ten times what the whole range
-- of doubles needs, and small enough that no expression costs more than some milliseconds.
local MOST_LIMBS = 300

function quantity.number(value)
  return { factor = value, pi = 0, dims = dimensions.none() }
end

--- Base dimension `index`, `factor` times its unit.
function quantity.base(index, factor)
  local dims = dimensions.none()
  dims[index] = 1
  return { factor = factor, pi = 0, dims = dims }
end

quantity.pi = { factor = ratio.one, pi = 1, dims = dimensions.none() }

-- Powers a dimension may have: beyond any physics, and far from where integers wrap around.
local HIGHEST_POWER = 1000

local function limbs(value) return math.max(#value.factor.over, #value.factor.under) end

--- left times right, or left divided by right for `times` = -1.
function quantity.combined(left, right, times)
  if limbs(left) + limbs(right) > MOST_LIMBS then return nil end
  local combine = times == 1 and ratio.multiply or ratio.divide
  if times == -1 and bigint.is_zero(right.factor.over) then return nil end
  return {
    factor = combine(left.factor, right.factor),
    pi = left.pi + right.pi * times,
    dims = dimensions.combined(left.dims, right.dims, times),
  }
end

--- Nil where the factor would be too long, or 1/0, or the power beyond reason.
function quantity.power(base, exponent)
  if limbs(base) * math.abs(exponent) > MOST_LIMBS then return nil end
  if exponent < 0 and bigint.is_zero(base.factor.over) then return nil end
  for _, power in ipairs(base.dims) do
    if math.abs(power * exponent) > HIGHEST_POWER then return nil end
  end
  return {
    factor = ratio.power(base.factor, exponent),
    pi = base.pi * exponent,
    dims = dimensions.combined(dimensions.none(), base.dims, exponent),
  }
end

--- value times the power of pi, and whether that is still exact.
function quantity.with_pi(value, power)
  if power == 0 then return value, true end
  return ratio.multiply(value, ratio.power(PI, power)), false
end

return quantity
