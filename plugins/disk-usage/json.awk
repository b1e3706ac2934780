# How a line of JSON becomes values awk can look up, and a string becomes JSON again.
#
# json_parse(text) fills, for every value by its path:
#   json_kind[path]      object, array, string, number, true, false or null
#   json_value[path]     the decoded string, or the number as it was written
#   json_size[path]      members of an object or elements of an array
#   json_key[path, i]    the i-th key of an object, in order
# The root's path is ""; json_at(path, key) and json_at(path, index) are a member's.
# Works on bytes: run it with LC_ALL=C.

BEGIN {
    # The wire's limit, contracts/wire §2.3.
    JSON_DEPTH = 64
    # U+0000, which awk strings and paths cannot hold, as Java and SQLite write it.
    JSON_NUL = "\300\200"
    JSON_REPLACEMENT = "\357\277\275"
    for (json_byte = 1; json_byte < 256; json_byte++)
        JSON_ORDINAL[sprintf("%c", json_byte)] = json_byte
    JSON_UNESCAPED["\""] = "\""; JSON_UNESCAPED["\\"] = "\\"; JSON_UNESCAPED["/"] = "/"
    JSON_UNESCAPED["b"] = "\b"; JSON_UNESCAPED["f"] = "\f"; JSON_UNESCAPED["n"] = "\n"
    JSON_UNESCAPED["r"] = "\r"; JSON_UNESCAPED["t"] = "\t"
}

function json_parse(text) {
    split("", json_kind); split("", json_value); split("", json_size); split("", json_key)
    json_text = text
    json_next = 1
    json_error = ""
    json_take("", 1)
    json_skip_blanks()
    if (json_next <= length(json_text)) json_fail("text after the value")
    return json_error == ""
}

# A key may contain anything, a slash or a digit too: its length keeps paths apart.
function json_at(path, key) {
    return path "/" length(key) ":" key
}

function json_fail(what) {
    if (json_error == "") json_error = what " at byte " json_next
    json_next = length(json_text) + 1
}

function json_skip_blanks() {
    while (index(" \t\r\n", substr(json_text, json_next, 1)) && json_next <= length(json_text))
        json_next++
}

function json_take(path, depth,    first) {
    json_skip_blanks()
    first = substr(json_text, json_next, 1)
    if (depth > JSON_DEPTH) json_fail("nesting deeper than " JSON_DEPTH)
    else if (first == "{") json_take_object(path, depth)
    else if (first == "[") json_take_array(path, depth)
    else if (first == "\"") {
        json_kind[path] = "string"
        json_value[path] = json_take_string()
    }
    else json_take_word(path)
}

function json_take_object(path, depth,    key, size) {
    json_kind[path] = "object"
    json_next++
    json_skip_blanks()
    if (substr(json_text, json_next, 1) == "}") { json_next++; json_size[path] = 0; return }
    do {
        json_skip_blanks()
        if (substr(json_text, json_next, 1) != "\"") return json_fail("a key without quotes")
        key = json_take_string()
        json_skip_blanks()
        if (substr(json_text, json_next++, 1) != ":") return json_fail("a key without a colon")
        json_take(json_at(path, key), depth + 1)
        json_key[path, ++size] = key
    } while (json_another("}"))
    json_size[path] = size
}

function json_take_array(path, depth,    size) {
    json_kind[path] = "array"
    json_next++
    json_skip_blanks()
    if (substr(json_text, json_next, 1) == "]") { json_next++; json_size[path] = 0; return }
    do json_take(json_at(path, ++size), depth + 1); while (json_another("]"))
    json_size[path] = size
}

# Step over a comma and return 1, or over the closing bracket and return 0.
function json_another(closing,    mark) {
    json_skip_blanks()
    mark = substr(json_text, json_next++, 1)
    if (mark == ",") return 1
    if (mark != closing) json_fail("a value followed by neither a comma nor " closing)
    return 0
}

function json_take_word(path,    word) {
    # 400 bytes: the longest exact double has 309 digits before its point.
    word = substr(json_text, json_next, 400)
    if (match(word, /^-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?/)) {
        json_kind[path] = "number"
        json_value[path] = substr(word, 1, RLENGTH)
    } else if (match(word, /^(true|false|null)/)) json_kind[path] = substr(word, 1, RLENGTH)
    else return json_fail("no value")
    json_next += RLENGTH
}

function json_take_string(    out, piece, mark) {
    json_next++
    while (json_error == "") {
        # A window keeps the cost linear: substr() of the rest would copy it every time.
        piece = substr(json_text, json_next, 256)
        if (piece == "") { json_fail("a string without an end"); break }
        if (!match(piece, /["\\\001-\037]/)) {
            out = out piece
            json_next += length(piece)
            continue
        }
        out = out substr(piece, 1, RSTART - 1)
        json_next += RSTART
        mark = substr(piece, RSTART, 1)
        if (mark == "\"") return out
        if (mark != "\\") { json_fail("a control character in a string"); break }
        out = out json_take_escape()
    }
    return ""
}

function json_take_escape(    mark, code, low) {
    mark = substr(json_text, json_next++, 1)
    if (mark in JSON_UNESCAPED) return JSON_UNESCAPED[mark]
    if (mark != "u") { json_fail("an unknown escape"); return "" }
    code = json_take_hex()
    if (code >= 56320 && code <= 57343) { json_fail("a lone surrogate"); return "" }
    if (code < 55296 || code > 57343) return json_utf8(code)
    if (substr(json_text, json_next, 2) != "\\u") { json_fail("a lone surrogate"); return "" }
    json_next += 2
    low = json_take_hex()
    if (low < 56320 || low > 57343) { json_fail("a lone surrogate"); return "" }
    return json_utf8(65536 + (code - 55296) * 1024 + low - 56320)
}

function json_take_hex(    digits, code, i) {
    digits = tolower(substr(json_text, json_next, 4))
    json_next += 4
    if (digits !~ /^[0-9a-f][0-9a-f][0-9a-f][0-9a-f]$/) { json_fail("a bad \\u escape"); return 0 }
    for (i = 1; i <= 4; i++) code = code * 16 + index("0123456789abcdef", substr(digits, i, 1)) - 1
    return code
}

function json_utf8(code) {
    if (code == 0) return JSON_NUL
    if (code < 128) return sprintf("%c", code)
    if (code < 2048) return sprintf("%c%c", 192 + int(code / 64), 128 + code % 64)
    if (code < 65536)
        return sprintf("%c%c%c", 224 + int(code / 4096), 128 + int(code / 64) % 64, 128 + code % 64)
    return sprintf("%c%c%c%c", 240 + int(code / 262144), 128 + int(code / 4096) % 64, \
                   128 + int(code / 64) % 64, 128 + code % 64)
}

# Return text as a JSON string.  Bytes that are not UTF-8 (a file's name may hold any)
# become U+FFFD, and json_lossy becomes 1.
function json_quote(text,    out, byte) {
    while (text != "") {
        # Printable ASCII without the quote and the backslash, and well-formed UTF-8
        # (Unicode, table 3-7).
        if (match(text, /^([ !#-\[\]-\177]|[\302-\337][\200-\277]|\340[\240-\277][\200-\277]|[\341-\354\356\357][\200-\277][\200-\277]|\355[\200-\237][\200-\277]|\360[\220-\277][\200-\277][\200-\277]|[\361-\363][\200-\277][\200-\277][\200-\277]|\364[\200-\217][\200-\277][\200-\277])+/)) {
            out = out substr(text, 1, RLENGTH)
            text = substr(text, RLENGTH + 1)
            continue
        }
        byte = substr(text, 1, 1)
        text = substr(text, 2)
        if (byte == "\"" || byte == "\\") out = out "\\" byte
        else if (byte == "\n") out = out "\\n"
        else if (byte == "\t") out = out "\\t"
        else if (JSON_ORDINAL[byte] < 32) out = out sprintf("\\u%04x", JSON_ORDINAL[byte])
        else { out = out JSON_REPLACEMENT; json_lossy = 1 }
    }
    return "\"" out "\""
}

# A sum of sizes as an integer: print would use %.6g, and %d may be 32 bits wide.
function json_integer(number) {
    return sprintf("%.0f", number)
}
