-- Reads a unit as people write it: "kg·m·s⁻²", "lb*ft/s^2", "miles per hour", "L/100 km".
--
--   expression = product { ("*" | "·" | "/" | "per") product }      from left to right
--   product    = power { power }                                   neighbours, binding tighter
--   power      = atom [ "^" integer | "²" | "squared" | … ]
--   atom       = number | unit | "(" expression ")" | "square" power | "cubic" power

local catalogue = require "catalogue"
local quantity = require "quantity"
local ratio = require "ratio"
local suggest = require "suggest"

local expression = {}

-- No unit in use has a power beyond 12 (m¹²: Lennard-Jones); the rest is a slip.
local HIGHEST_POWER = 24

local SUPERSCRIPT_VALUES = {
  ["⁰"] = "0", ["¹"] = "1", ["²"] = "2", ["³"] = "3", ["⁴"] = "4", ["⁵"] = "5",
  ["⁶"] = "6", ["⁷"] = "7", ["⁸"] = "8", ["⁹"] = "9", ["⁻"] = "-", ["⁺"] = "",
}
local TIMES = { ["*"] = true, ["·"] = true, ["⋅"] = true, ["×"] = true, ["∙"] = true, ["•"] = true }
local MINUS = { ["-"] = true, ["−"] = true, ["‐"] = true, ["‑"] = true }
local SPACES = { [" "] = true, ["\t"] = true, ["\u{A0}"] = true, ["\u{202F}"] = true, ["\u{2009}"] = true }
local POWER_WORDS = { squared = 2, cubed = 3 }
local POWER_PREFIXES = { square = 2, sq = 2, cubic = 3, cu = 3 }

local function fail(text, place, problem)
  error { message = ("'%s' is not a unit: %s"):format(text, problem),
    details = { unit = text, position = place } }
end

-- ------------------------------------------------------------------- tokens

local function characters(text)
  if not utf8.len(text) then fail(text:gsub("[\128-\255]", "?"), 1, "it is not UTF-8 text") end
  local list = {}
  for _, code in utf8.codes(text) do list[#list + 1] = utf8.char(code) end
  return list
end

local function is_digit(character) return character and character:find "^%d$" ~= nil end

local function is_letter(character)
  return character ~= nil and not SPACES[character] and not TIMES[character]
    and not MINUS[character] and not SUPERSCRIPT_VALUES[character]
    and (character:find "^[%a_%%°]$" ~= nil or #character > 1)
end

-- A number as it stands: digits, point, and an exponent only if digits follow it.
local function number_at(list, place)
  local text = ""
  while is_digit(list[place]) or list[place] == "." and is_digit(list[place + 1]) do
    text = text .. list[place]
    place = place + 1
  end
  if list[place] == "e" or list[place] == "E" then
    local digit = place + 1
    local sign = ""
    if list[digit] == "-" or list[digit] == "+" then sign, digit = list[digit], digit + 1 end
    if is_digit(list[digit]) then
      local exponent = ""
      while is_digit(list[digit]) do
        exponent = exponent .. list[digit]
        digit = digit + 1
      end
      return text .. "e" .. sign .. exponent, digit
    end
  end
  return text, place
end

local function exponent_at(list, place)
  local sign = ""
  if MINUS[list[place]] or list[place] == "+" then
    sign = MINUS[list[place]] and "-" or ""
    place = place + 1
  end
  local digits = ""
  while is_digit(list[place]) do
    digits = digits .. list[place]
    place = place + 1
  end
  return digits ~= "" and tonumber(sign .. digits) or nil, place
end

local function word_at(list, place)
  local from = place
  while is_letter(list[place]) or place > from and is_digit(list[place]) do place = place + 1 end
  return table.concat(list, "", from, place - 1), place
end

-- A word, and the power written straight behind it: "m2", "s-1".  A unit whose own name
-- ends in a digit (g0) stays whole.
local function word_tokens(tokens, list, place)
  local word, after = word_at(list, place)
  tokens[#tokens + 1] = { kind = "word", text = word, place = place }
  local stem, digits = word:match "^(.-)(%d+)$"
  if digits and not catalogue.find(word) then
    tokens[#tokens].text = stem
    tokens[#tokens + 1] = { kind = "power", value = tonumber(digits), place = place }
  elseif MINUS[list[after]] and is_digit(list[after + 1]) then
    local value
    value, after = exponent_at(list, after)
    tokens[#tokens + 1] = { kind = "power", value = value, place = place }
  end
  return after
end

local function superscript_at(list, place)
  local digits = ""
  while SUPERSCRIPT_VALUES[list[place]] do
    digits = digits .. SUPERSCRIPT_VALUES[list[place]]
    place = place + 1
  end
  return tonumber(digits), place
end

local function tokens_of(text)
  local list, tokens, place = characters(text), {}, 1
  local function add(kind, value) tokens[#tokens + 1] = { kind = kind, value = value, place = place } end
  while list[place] do
    local character = list[place]
    if SPACES[character] then
      place = place + 1
    elseif is_digit(character) or character == "." and is_digit(list[place + 1]) then
      local number, after = number_at(list, place)
      add("number", number)
      place = after
    elseif SUPERSCRIPT_VALUES[character] then
      local value, after = superscript_at(list, place)
      if not value then fail(text, place, ("the power at character %d is no integer"):format(place)) end
      add("power", value)
      place = after
    elseif character == "^" or character == "*" and list[place + 1] == "*" then
      local value, after = exponent_at(list, place + (character == "^" and 1 or 2))
      if not value then
        fail(text, place, ("after '%s' at character %d an integer is needed, as in m^2 or s^-1")
          :format(character, place))
      end
      add("power", value)
      place = after
    elseif character == "/" or TIMES[character] or MINUS[character] or character == "("
      or character == ")" then
      -- A minus between units joins them: N-m, kW-h.
      add(character == "/" and "/" or (character == "(" or character == ")") and character or "*")
      place = place + 1
    elseif is_letter(character) then
      place = word_tokens(tokens, list, place)
    else
      fail(text, place, ("'%s' at character %d has no meaning here"):format(character, place))
    end
  end
  return tokens
end

-- ------------------------------------------------------------------ grammar

-- Nesting a person writes is 2 or 3; this ends a page of parentheses.
local DEEPEST = 20

local parse_expression

local function checked(state, result)
  if not result then
    fail(state.text, state.at, "its factor or a power is out of range, or it divides by zero")
  end
  return result
end

local function peek(state) return state.tokens[state.at] end

local function unknown(state, token, reason)
  local message = ("unknown unit '%s'"):format(token.text)
  local near
  if reason then
    message = message .. ": " .. reason
  else
    near = suggest.near(token.text, catalogue.each_spelling)
    if #near > 0 then message = message .. "; did you mean " .. table.concat(near, ", ") .. "?" end
  end
  if token.text ~= state.text then message = message .. (" (in '%s')"):format(state.text) end
  error { message = message,
    details = { unit = token.text, position = token.place, suggestions = near } }
end

-- Names of two words: "nautical mile", "fluid ounces".
local function find_words(state, token)
  local following = state.tokens[state.at + 1]
  if following and following.kind == "word" then
    local both = catalogue.find(token.text .. "_" .. following.text)
    if both then return both, 2 end
  end
  local found, reason = catalogue.find(token.text)
  if not found then unknown(state, token, reason) end
  return found, 1
end

local function parse_unit(state, token)
  local found, words = find_words(state, token)
  state.at = state.at + words
  state.parts[#state.parts + 1] = {
    unit = found.unit, prefix = found.prefix, exponent = 1, size = found.size,
  }
  return found.size
end

local function parse_power_prefix(state, token)
  state.at = state.at + 1
  local first = #state.parts + 1
  local following = peek(state)
  if not following or following.kind ~= "word" then
    fail(state.text, token.place, ("after '%s' a unit is needed"):format(token.text))
  end
  local size = parse_unit(state, following)
  local power = POWER_PREFIXES[token.text:lower()]
  state.parts[first].exponent = power
  return checked(state, quantity.power(size, power))
end

local function parse_atom(state)
  local token = peek(state)
  if not token then
    fail(state.text, #state.text + 1, #state.tokens == 0 and "it is empty" or "it ends too early")
  elseif token.kind == "number" then
    state.at = state.at + 1
    state.numbers = true
    return quantity.number(ratio.read(token.value))
  elseif token.kind == "word" then
    if POWER_PREFIXES[token.text:lower()] then return parse_power_prefix(state, token) end
    return parse_unit(state, token)
  elseif token.kind == "(" then
    state.at, state.depth = state.at + 1, state.depth + 1
    if state.depth > DEEPEST then fail(state.text, token.place, "its parentheses nest too deep") end
    local inner = parse_expression(state)
    if not peek(state) or peek(state).kind ~= ")" then
      fail(state.text, token.place, ("the '(' at character %d is not closed"):format(token.place))
    end
    state.at, state.depth = state.at + 1, state.depth - 1
    return inner
  end
  fail(state.text, token.place,
    ("a unit is needed at character %d"):format(token.place))
end

local function power_value(token)
  if token.kind == "power" then return token.value end
  return token.kind == "word" and POWER_WORDS[token.text:lower()] or nil
end

local function parse_power(state)
  local first = #state.parts + 1
  local size = parse_atom(state)
  local token = peek(state)
  local power = token and power_value(token)
  if not power then return size end
  if math.abs(power) > HIGHEST_POWER then
    fail(state.text, token.place, ("the power %d is beyond %d"):format(power, HIGHEST_POWER))
  end
  state.at = state.at + 1
  for index = first, #state.parts do
    state.parts[index].exponent = state.parts[index].exponent * power
  end
  return checked(state, quantity.power(size, power))
end

local function is_operator(token)
  return token.kind == "*" or token.kind == "/"
    or token.kind == "word" and token.text:lower() == "per"
end

local function parse_product(state)
  local size = parse_power(state)
  while peek(state) and peek(state).kind ~= ")" and not is_operator(peek(state)) do
    size = checked(state, quantity.combined(size, parse_power(state), 1))
  end
  return size
end

function parse_expression(state)
  local size = parse_product(state)
  while peek(state) and is_operator(peek(state)) do
    local times = peek(state).kind == "*" and 1 or -1
    state.at = state.at + 1
    local first = #state.parts + 1
    local right = parse_product(state)
    for index = first, #state.parts do
      state.parts[index].exponent = state.parts[index].exponent * times
    end
    size = checked(state, quantity.combined(size, right, times))
  end
  return size
end

--- Reads `text`: { text, factor, pi, dims, parts, lone }.  `lone` is the unit if there is
--- nothing but one, once.  Raises { message, details } for what is no unit.
function expression.read(text)
  local state = { text = text, tokens = tokens_of(text), at = 1, depth = 0, parts = {} }
  local size = parse_expression(state)
  if peek(state) then
    fail(text, peek(state).place, ("the ')' at character %d opens nowhere"):format(peek(state).place))
  end
  local only = #state.parts == 1 and state.parts[1]
  local lone = only and only.exponent == 1 and not state.numbers and only.unit or nil
  return {
    text = text, factor = size.factor, pi = size.pi, dims = size.dims,
    parts = state.parts, lone = lone,
  }
end

catalogue.read_with(expression.read)

return expression
