# Which tools there are, and which arguments each takes.

BEGIN {
    # Six levels below a folder already are thousands of entries, and a hundred rows are
    # more than a person reads.
    MAX_DEPTH = 5
    MAX_TOP = 100
    # PATH_MAX of Linux, limits.h.
    MAX_PATH_BYTES = 4096

    argument("usage", "path", "string", "", "")
    argument("usage", "depth", "integer", 1, "0 " MAX_DEPTH)
    argument("usage", "top", "integer", 10, "1 " MAX_TOP)
    argument("usage", "cross_filesystems", "boolean", "false", "")
    argument("largest", "path", "string", "", "")
    argument("largest", "top", "integer", 10, "1 " MAX_TOP)
    argument("largest", "cross_filesystems", "boolean", "false", "")
    argument("free", "path", "string", "/", "")

    SAYS["usage"] = "Measure a folder: allocated and apparent bytes, and its largest entries."
    SAYS["largest"] = "Find the largest files below a folder."
    SAYS["free"] = "Report the size, the used and the free bytes of the filesystem of a path."
    SAYS["path"] = "A file or folder; absolute, and granted with fs_read."
    SAYS["depth"] = "How many levels of entries to list; 0 lists none."
    SAYS["top"] = "How many entries to list, the largest first."
    SAYS["cross_filesystems"] = "Also enter other filesystems mounted below the path."
}

# An argument with no default is required; range is "least most" or "".
function argument(tool, name, kind, fallback, range) {
    if (!(tool in arguments)) tool_name[++tools] = tool
    argument_name[tool, ++arguments[tool]] = name
    argument_kind[tool, name] = kind
    argument_default[tool, name] = fallback
    argument_range[tool, name] = range
}

function tools_listed(    list, i) {
    for (i = 1; i <= tools; i++) list = list (i > 1 ? "," : "") tool_described(tool_name[i])
    return "[" list "]"
}

function tool_described(tool,    properties, required, name, range, i) {
    for (i = 1; i <= arguments[tool]; i++) {
        name = argument_name[tool, i]
        properties = properties (i > 1 ? "," : "") json_quote(name) ":{\"type\":\"" \
            argument_kind[tool, name] "\",\"description\":" json_quote(SAYS[name])
        if (split(argument_range[tool, name], range, " "))
            properties = properties ",\"minimum\":" range[1] ",\"maximum\":" range[2]
        if (argument_default[tool, name] == "") required = json_quote(name)
        else properties = properties ",\"default\":" (argument_kind[tool, name] == "string" \
            ? json_quote(argument_default[tool, name]) : argument_default[tool, name])
        properties = properties "}"
    }
    return "{\"name\":\"" tool "\",\"description\":" json_quote(SAYS[tool]) \
        ",\"inputSchema\":{\"type\":\"object\",\"properties\":{" properties "},\"required\":[" \
        required "],\"additionalProperties\":false}," \
        "\"annotations\":{\"readOnlyHint\":true,\"idempotentHint\":true}" \
        (tool == "free" ? "" : ",\"_meta\":{\"plughost/longRunning\":true}") "}"
}

# Fill given[name] from the JSON object at path and return "", or what is wrong with it.
function arguments_read(tool, path,    i, name, wrong) {
    if (path in json_kind && json_kind[path] != "object") return "`arguments` is not an object"
    for (i = 1; i <= json_size[path]; i++)
        if (!((tool, json_key[path, i]) in argument_kind))
            return "`" json_key[path, i] "` is not an argument of " tool "; it takes " names_of(tool)
    for (i = 1; i <= arguments[tool]; i++) {
        name = argument_name[tool, i]
        wrong = argument_read(tool, name, json_at(path, name))
        if (wrong != "") return "`" name "` " wrong
    }
    return ""
}

function argument_read(tool, name, path,    kind, value, range) {
    given[name] = argument_default[tool, name]
    if (!(path in json_kind)) return given[name] == "" ? "is missing; give one" : ""
    kind = argument_kind[tool, name]
    value = json_value[path]
    if (kind == "string") {
        if (json_kind[path] != "string") return "is not a string; give a path"
        if (value == "") return "is empty; give a path, `.` for the plugin's own folder"
        if (index(value, JSON_NUL)) return "holds U+0000, which no path can; leave it out"
        if (length(value) > MAX_PATH_BYTES) return "is longer than " MAX_PATH_BYTES " bytes; shorten it"
    } else if (kind == "boolean") {
        if (json_kind[path] !~ /^(true|false)$/) return "is neither true nor false"
        value = json_kind[path]
    } else {
        split(argument_range[tool, name], range, " ")
        if (json_kind[path] != "number" || value + 0 != int(value + 0) \
            || value + 0 < range[1] || value + 0 > range[2])
            return "is not an integer from " range[1] " to " range[2]
        value = int(value + 0)
    }
    given[name] = value
    return ""
}

function names_of(tool,    i, names) {
    for (i = 1; i <= arguments[tool]; i++) names = names (i > 1 ? ", " : "") argument_name[tool, i]
    return names
}
