-- The known spellings nearest to one that is not.

local suggest = {}

local function characters(text)
  local list = {}
  for _, code in utf8.codes(text, true) do list[#list + 1] = code end
  return list
end

-- Edits (insert, delete, replace, swap neighbours) from one word to the other, or nil
-- beyond `most`.  Source: optimal string alignment, Boytsov 2011.
local function distance(left, right, most)
  if math.abs(#left - #right) > most then return nil end
  local before, row = {}, {}
  for column = 0, #right do row[column] = column end
  for line = 1, #left do
    local next_row, best = { [0] = line }, line
    for column = 1, #right do
      local same = left[line] == right[column]
      local cost = math.min(row[column] + 1, next_row[column - 1] + 1,
        row[column - 1] + (same and 0 or 1))
      if line > 1 and column > 1 and left[line] == right[column - 1]
        and left[line - 1] == right[column] then
        cost = math.min(cost, before[column - 2] + 1)
      end
      next_row[column] = cost
      best = math.min(best, cost)
    end
    if best > most then return nil end
    before, row = row, next_row
  end
  return row[#right] <= most and row[#right] or nil
end

--- Up to three spellings near `word`, the nearest first.  `each` calls its argument with
--- every spelling there is.
function suggest.near(word, each)
  local length = utf8.len(word)
  local most = length == 1 and 0 or length <= 3 and 1 or 2
  local wanted, lower = characters(word), characters(word:lower())
  local seen, found = {}, {}
  each(function(spelling)
    if seen[spelling] then return end
    seen[spelling] = true
    local letters = characters(spelling)
    local edits = distance(wanted, letters, most)
    -- Only the case differs: nearer than any other letter.
    local apart = distance(lower, characters(spelling:lower()), most)
    if apart == 0 then
      found[#found + 1] = { 0, spelling }
    elseif edits then
      found[#found + 1] = { edits, spelling }
    end
  end)
  table.sort(found, function(a, b)
    if a[1] ~= b[1] then return a[1] < b[1] end
    if #a[2] ~= #b[2] then return #a[2] < #b[2] end
    return a[2] < b[2]
  end)
  local names = {}
  for index = 1, math.min(3, #found) do names[index] = found[index][2] end
  return names
end

return suggest
