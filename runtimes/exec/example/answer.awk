# Answers one message.  raw[] has every value as it is written, by the path of its quoted
# keys: strings are never unescaped, so they can go back into JSON as they came.
BEGIN {
    hex = "[0-9a-fA-F]"
    string = "\"([^\"\\\\\001-\037]|\\\\([\"\\\\/bfnrt]|u" hex hex hex hex "))*\""
    number = "-?(0|[1-9][0-9]*)([.][0-9]+)?([eE][-+]?[0-9]+)?"
    schema = "\"inputSchema\":{\"type\":\"object\",\"properties\":{\"text\":{\"type\":\"string\"}},\"required\":[\"text\"]}"
}
function token(pattern,    text) {
    sub(/^[ \t\r]+/, "", rest)
    if (!match(rest, "^(" pattern ")")) { bad = 1; rest = ""; return "" }
    text = substr(rest, 1, RLENGTH)
    rest = substr(rest, RLENGTH + 1)
    return text
}
function value(path,    first, key, n) {
    first = raw[path] = token("[[{]|" string "|" number "|true|false|null")
    if (first == "{" && rest !~ /^[ \t]*}/)
        do { key = token(string); token(":"); value(path key) } while (token("[,}]") == ",")
    else if (first == "[" && rest !~ /^[ \t]*\]/)
        do value(path "[" ++n "]"); while (token("[],]") == ",")
    else if (first == "{" || first == "[") token("[]}]")
}
function result(json) { print "{\"jsonrpc\":\"2.0\",\"id\":" id ",\"result\":" json "}" }
function error(code, type, text) {
    print "{\"jsonrpc\":\"2.0\",\"id\":" id ",\"error\":{\"code\":" code ",\"message\":\"" text \
        "\",\"data\":{\"type\":\"" type "\",\"message\":\"" text "\",\"retryable\":false}}}"
}
function upper(text,    out) {              # \n must not become \N, nor \u00e9 \U00E9
    while (match(text, /\\(u....|.)/)) {
        out = out toupper(substr(text, 1, RSTART - 1)) substr(text, RSTART, RLENGTH)
        text = substr(text, RSTART + RLENGTH)
    }
    return out toupper(text)
}
function call(tool, text) {
    if (tool != "\"greet\"" && tool != "\"upper\"") error(-32602, "tool-not-found", "there are the tools greet and upper")
    else if (text !~ /^"/) error(-32602, "invalid-arguments", "give `text`, a string")
    else result("{\"content\":[{\"type\":\"text\",\"text\":" (tool ~ /upper/ ? upper(text) : "\"Hello, " substr(text, 2)) "}]}")
}
{
    rest = $0; value("")
    id = raw["\"id\""]; method = raw["\"method\""]
    if (bad || rest !~ /^[ \t\r]*$/) print "not JSON: " $0 > "/dev/stderr"
    else if (id !~ /^["0-9-]/ || method == "") next                 # nothing to answer
    else if (method == "\"initialize\"")
        result("{\"protocolVersion\":\"2025-11-25\",\"capabilities\":{\"tools\":{}},\"serverInfo\":{\"name\":\"shell-greeter\",\"version\":\"1.0.0\"}}")
    else if (method == "\"ping\"") result("{}")
    else if (method == "\"tools/list\"")
        result("{\"tools\":[{\"name\":\"greet\",\"description\":\"Greet somebody.\"," schema "},{\"name\":\"upper\",\"description\":\"Return a text in capitals.\"," schema "}]}")
    else if (method == "\"tools/call\"") call(raw["\"params\"\"name\""], raw["\"params\"\"arguments\"\"text\""])
    else error(-32601, "protocol-violation", "no such method")
}
