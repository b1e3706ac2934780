-- Exact ratios with a sign, and their decimal forms.
--
-- A ratio is { negative, over, under }; the last two are bigints.  It is not reduced:
-- nothing here grows for long, and a greatest common divisor costs more than it saves.

local bigint = require "bigint"

local ratio = {}

-- Digits of a result that has no end.  A double holds 17; at 34, IEEE 754's decimal128,
-- rounding once more to a double errs only within 10^-17 of a tie.
local SIGNIFICANT = 34

local ONE = { 1 }

ratio.one = { negative = false, over = ONE, under = ONE }

--- Reads a decimal number as it is written: "-1.5e-3" is exactly -3/2000.
function ratio.read(text)
  local sign, whole, fraction, exponent = text:match "^([+-]?)(%d*)%.?(%d*)[eE]?([+-]?%d*)$"
  local places = #fraction - (tonumber(exponent) or 0)
  local over, under = bigint.read(whole .. fraction), ONE
  if places > 0 then
    under = bigint.power_of_ten(places)
  elseif places < 0 then
    over = bigint.multiply(over, bigint.power_of_ten(-places))
  end
  return { negative = sign == "-" and not bigint.is_zero(over), over = over, under = under }
end

-- Of sixteen digits that lie exactly between two doubles, `format` gives the even ones;
-- the number may be the other one's (2^-24 is 5.960464477539063e-08).
local function beside(number)
  local mantissa, exponent = ("%.15e"):format(math.abs(number)):match "^(%d%.%d+)e([+-]%d+)$"
  local digits = math.tointeger(tonumber((mantissa:gsub("%.", ""))))
  for _, other in ipairs { digits + 1, digits - 1 } do
    local text = ("%s%de%d"):format(number < 0 and "-" or "", other, math.tointeger(tonumber(exponent)) - 15)
    if tonumber(text) == number then return text end
  end
end

--- The ratio a person means by a number: 98.6 is 986/10, not the double next to it.
function ratio.of_number(number)
  if math.type(number) == "integer" then return ratio.read(("%d"):format(number)) end
  for digits = 15, 16 do
    local text = ("%." .. digits .. "g"):format(number)
    if tonumber(text) == number then return ratio.read(text) end
  end
  return ratio.read(beside(number) or ("%.17g"):format(number))
end

function ratio.multiply(left, right)
  local over = bigint.multiply(left.over, right.over)
  return {
    negative = left.negative ~= right.negative and not bigint.is_zero(over),
    over = over,
    under = bigint.multiply(left.under, right.under),
  }
end

function ratio.inverse(value)
  return { negative = value.negative, over = value.under, under = value.over }
end

function ratio.divide(left, right) return ratio.multiply(left, ratio.inverse(right)) end

function ratio.power(value, exponent)
  if exponent < 0 then return ratio.power(ratio.inverse(value), -exponent) end
  return {
    negative = value.negative and exponent % 2 == 1,
    over = bigint.power(value.over, exponent),
    under = bigint.power(value.under, exponent),
  }
end

function ratio.negated(value)
  return { negative = not value.negative, over = value.over, under = value.under }
end

function ratio.add(left, right)
  local a = bigint.multiply(left.over, right.under)
  local b = bigint.multiply(right.over, left.under)
  local under = bigint.multiply(left.under, right.under)
  if left.negative == right.negative then
    return { negative = left.negative, over = bigint.add(a, b), under = under }
  end
  local order = bigint.compare(a, b)
  if order == 0 then return { negative = false, over = {}, under = under } end
  if order > 0 then
    return { negative = left.negative, over = bigint.subtract(a, b), under = under }
  end
  return { negative = right.negative, over = bigint.subtract(b, a), under = under }
end

function ratio.is_negative(value) return value.negative and not bigint.is_zero(value.over) end

-- The leading digits, the power of ten of the last one, and whether they are all.
local function leading_digits(value)
  local shift = SIGNIFICANT + 1 - (#bigint.write(value.over) - #bigint.write(value.under))
  local over, under = value.over, value.under
  if shift > 0 then
    over = bigint.multiply(over, bigint.power_of_ten(shift))
  else
    under = bigint.multiply(under, bigint.power_of_ten(-shift))
  end
  local quotient, rest = bigint.divide(over, under)
  return bigint.write(quotient), -shift, bigint.is_zero(rest)
end

local function rounded(digits, exponent, whole)
  local extra = #digits - SIGNIFICANT
  if extra <= 0 then return digits, exponent, whole end
  local tail = digits:sub(-extra)
  whole = whole and not tail:find "[1-9]"
  digits = digits:sub(1, SIGNIFICANT)
  if tail:byte() >= ("5"):byte() then
    digits = bigint.write(bigint.add(bigint.read(digits), ONE))
  end
  return digits, exponent + extra, whole
end

-- Positions of the decimal point up to which a number is written out, as JavaScript does.
local WRITTEN_OUT = { lowest = -6, highest = 21 }

local function laid_out(digits, exponent)
  local point = #digits + exponent
  if point > WRITTEN_OUT.highest or point < WRITTEN_OUT.lowest then
    local fraction = #digits > 1 and "." .. digits:sub(2) or ""
    return ("%s%se%+d"):format(digits:sub(1, 1), fraction, point - 1)
  elseif exponent >= 0 then
    return digits .. ("0"):rep(exponent)
  elseif point > 0 then
    return digits:sub(1, point) .. "." .. digits:sub(point + 1)
  end
  return "0." .. ("0"):rep(-point) .. digits
end

--- Decimal text of up to 34 significant digits, and whether it is the exact value.
function ratio.write(value)
  if bigint.is_zero(value.over) then return "0", true end
  local digits, exponent, whole = rounded(leading_digits(value))
  local kept = digits:gsub("0+$", "")
  exponent = exponent + #digits - #kept
  return (value.negative and "-" or "") .. laid_out(kept, exponent), whole
end

-- Whole numbers beyond this are not all doubles (IEEE 754: 53 bits), and JSON's readers
-- mostly have doubles.
local LARGEST_WHOLE = 1 << 53

--- The nearest double, as an integer where it is a small enough one.  Nil if there is none.
function ratio.to_number(text)
  local number = tonumber(text)
  if math.abs(number) > LARGEST_WHOLE then number = number + 0.0 end
  if math.abs(number) == math.huge then return nil end
  return number
end

return ratio
