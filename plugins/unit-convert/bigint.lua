-- Whole numbers of any size, not negative: what exact ratios of units need.
--
-- A number is a list of limbs in base 10^7, the lowest first, without leading zeros;
-- zero is the empty list.  10^7 squared times the limbs of the longest number here stays
-- far below 2^63, and turning limbs into digits is a format.

local floor, max = math.floor, math.max

local bigint = {}

local BASE = 10000000
local DIGITS = 7

local function trimmed(limbs)
  while limbs[#limbs] == 0 do limbs[#limbs] = nil end
  return limbs
end

--- Reads decimal digits.
function bigint.read(digits)
  local limbs = {}
  for last = #digits, 1, -DIGITS do
    limbs[#limbs + 1] = tonumber(digits:sub(max(1, last - DIGITS + 1), last))
  end
  return trimmed(limbs)
end

--- Writes decimal digits.
function bigint.write(number)
  if #number == 0 then return "0" end
  local parts = { ("%d"):format(number[#number]) }
  for index = #number - 1, 1, -1 do
    parts[#parts + 1] = ("%07d"):format(number[index])
  end
  return table.concat(parts)
end

function bigint.is_zero(number) return #number == 0 end

--- -1, 0 or 1 as left is less than, equal to or greater than right.
function bigint.compare(left, right)
  if #left ~= #right then return #left < #right and -1 or 1 end
  for index = #left, 1, -1 do
    if left[index] ~= right[index] then return left[index] < right[index] and -1 or 1 end
  end
  return 0
end

function bigint.add(left, right)
  local sum, carry = {}, 0
  for index = 1, max(#left, #right) do
    local limb = (left[index] or 0) + (right[index] or 0) + carry
    carry = limb >= BASE and 1 or 0
    sum[index] = limb - carry * BASE
  end
  if carry > 0 then sum[#sum + 1] = carry end
  return sum
end

--- left - right; right must not be larger.
function bigint.subtract(left, right)
  local difference, borrow = {}, 0
  for index = 1, #left do
    local limb = left[index] - (right[index] or 0) - borrow
    borrow = limb < 0 and 1 or 0
    difference[index] = limb + borrow * BASE
  end
  return trimmed(difference)
end

function bigint.multiply(left, right)
  if #left == 0 or #right == 0 then return {} end
  local product = {}
  for index = 1, #left + #right do product[index] = 0 end
  for i, a in ipairs(left) do
    local carry = 0
    for j, b in ipairs(right) do
      local limb = product[i + j - 1] + a * b + carry
      carry = limb // BASE
      product[i + j - 1] = limb % BASE
    end
    product[i + #right] = carry
  end
  return trimmed(product)
end

function bigint.power(base, exponent)
  local result = { 1 }
  while exponent > 0 do
    if exponent % 2 == 1 then result = bigint.multiply(result, base) end
    base = bigint.multiply(base, base)
    exponent = exponent // 2
  end
  return result
end

function bigint.power_of_ten(exponent)
  local limbs = {}
  for index = 1, exponent // DIGITS do limbs[index] = 0 end
  limbs[#limbs + 1] = floor(10 ^ (exponent % DIGITS))
  return limbs
end

local function divide_by_limb(number, divisor)
  local quotient, rest = {}, 0
  for index = #number, 1, -1 do
    local limb = rest * BASE + number[index]
    quotient[index] = limb // divisor
    rest = limb % divisor
  end
  return trimmed(quotient), trimmed { rest }
end

-- Takes digit * divisor from the limbs of `rest` that begin at `offset`.  Returns the
-- digit that fits: the guess is at most one too large after the test in `divide`.
local function take_multiple(rest, divisor, offset, digit)
  local borrow = 0
  for index = 1, #divisor do
    local limb = rest[offset + index] - digit * divisor[index] - borrow
    rest[offset + index] = limb % BASE
    borrow = -(limb // BASE)
  end
  local top = rest[offset + #divisor + 1] - borrow
  rest[offset + #divisor + 1] = top
  if top >= 0 then return digit end
  local carry = 0
  for index = 1, #divisor do
    local limb = rest[offset + index] + divisor[index] + carry
    carry = limb >= BASE and 1 or 0
    rest[offset + index] = limb - carry * BASE
  end
  rest[offset + #divisor + 1] = top + carry
  return digit - 1
end

--- Quotient and remainder.  Source: Knuth, The Art of Computer Programming 2, 4.3.1, D.
function bigint.divide(number, divisor)
  if #divisor == 0 then error("division by zero") end
  if bigint.compare(number, divisor) < 0 then return {}, number end
  if #divisor == 1 then return divide_by_limb(number, divisor[1]) end

  -- Scaled so that the divisor's highest limb is at least half the base: then a guess
  -- from two limbs is right or one too large.
  local scale = { BASE // (divisor[#divisor] + 1) }
  local rest = bigint.multiply(number, scale)
  local scaled = bigint.multiply(divisor, scale)
  local limbs = #scaled
  while #rest <= #number do rest[#rest + 1] = 0 end

  local quotient = {}
  for offset = #rest - limbs - 1, 0, -1 do
    local two = rest[offset + limbs + 1] * BASE + rest[offset + limbs]
    local digit = two // scaled[limbs]
    local left = two % scaled[limbs]
    while digit >= BASE or digit * scaled[limbs - 1] > left * BASE + rest[offset + limbs - 1] do
      digit = digit - 1
      left = left + scaled[limbs]
      if left >= BASE then break end
    end
    quotient[offset + 1] = take_multiple(rest, scaled, offset, digit)
  end
  local remainder = divide_by_limb(trimmed(rest), scale[1])
  return trimmed(quotient), remainder
end

return bigint
