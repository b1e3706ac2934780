# What one line from the host asks for.
#
# Reads the line, prints actions for main.sh, one to a line:
#   W… P… E…          a message, as reply.awk has it
#   mode SHAPE         what the host speaks from now on: plughost or plain
#   job KEY TOOL …     start a measurement (see start_job in main.sh)
#   cancel KEY         stop one
#   shutdown ID        stop all, answer, and end
# A path or an id is written so that sh can split at blanks and decode it with
# printf %b: every byte but the harmless ones as \0ooo.

BEGIN {
    EXTENSION = "1.0.0"
    STATELESS = "2026-07-28"
    META = "io.modelcontextprotocol/"
}

{ serve($0) }

function serve(line,    method) {
    sub(/\r$/, "", line)
    if (line ~ /^[ \t]*$/) return
    if (!json_parse(line)) return noise(json_error)
    if (json_kind[""] != "object" || text_at("", "jsonrpc") != "2.0")
        return noise("it is not a JSON-RPC 2.0 object")
    params = json_at("", "params")
    request = id_of(json_at("", "id"))
    method = text_at("", "method")
    if (method == "") {
        # A response: this plugin asks nothing, so there is nothing it could answer.
        if (request != "" && !(json_at("", "result") in json_kind) && !(json_at("", "error") in json_kind))
            send_message(failure(request, -32600, "", "the request names no method"))
        return
    }
    if (request == "") return notified(method)
    if (params in json_kind && json_kind[params] != "object")
        return refuse(-32602, "", "`params` is not an object")
    shape = ENVIRON["DISK_USAGE_SHAPE"]
    if (!stateless_refused(method)) requested(method)
}

function noise(why) {
    printf "disk-usage: a line from the host was left out: %s\n", why > "/dev/stderr"
}

# Return the id as JSON, or "" if there is none that could be answered.
function id_of(path) {
    if (json_kind[path] == "string") return json_quote(json_value[path])
    if (json_kind[path] == "number" && json_value[path] ~ /^-?[0-9]+$/) return json_value[path]
    return ""
}

function text_at(path, key) {
    path = json_at(path, key)
    return json_kind[path] == "string" ? json_value[path] : ""
}

function refuse(code, type, message) {
    send_message(failure(request, code, type, message))
}

function notified(method,    id) {
    if (method != "notifications/cancelled") return
    id = id_of(json_at(params, "requestId"))
    if (id != "") print "cancel " harmless(id)
}

# Wire §4.7: a request that names its revision needs no handshake.
function stateless_refused(method,    meta, version) {
    meta = json_at(params, "_meta")
    version = json_at(meta, META "protocolVersion")
    if (!(version in json_kind) || method == "initialize") return 0
    if (json_value[version] != STATELESS) {
        send_message("{\"jsonrpc\":\"2.0\",\"id\":" request ",\"error\":{\"code\":-32022,\"message\":" \
            "\"this plugin speaks " STATELESS " without a handshake\",\"data\":{\"supported\":[\"" \
            STATELESS "\"],\"requested\":" json_quote(json_value[version]) "}}}")
        return 1
    }
    if (json_kind[json_at(meta, META "clientCapabilities")] != "object") {
        refuse(-32602, "", "`_meta` lacks " META "clientCapabilities; send an object, {} if there are none")
        return 1
    }
    shape = "stateless"
    return 0
}

function requested(method) {
    if (method == "ping" || method == "plughost/activate" || method == "logging/setLevel")
        send_message(answer(request, "{" substr(completed(shape), 2) "}"))
    else if (method == "initialize") initialize()
    else if (method == "server/discover") discover()
    else if (method == "tools/list")
        send_message(answer(request, "{\"tools\":" tools_listed() completed(shape) cached() "}"))
    else if (method == "tools/call") call()
    else if (method == "plughost/shutdown") print "shutdown " harmless(request)
    else refuse(-32601, "", "this plugin has no method " method)
}

function initialize(    host, version, ours, extension) {
    host = json_at(json_at(json_at(params, "capabilities"), "experimental"), "plughost")
    if (json_kind[host] == "object") {
        version = text_at(host, "version")
        # Caret (wire §4.4): from 1.0 on, the same major.
        split(version, ours, ".")
        if (ours[1] != EXTENSION + 0)
            return refuse(-32602, "plugin-start-failed", "the host speaks plughost " version \
                " and this plugin " EXTENSION "; install versions with the same major")
        extension = ",\"experimental\":{\"plughost\":{\"version\":\"" EXTENSION "\",\"features\":[]}}"
    }
    print "mode " (extension == "" ? "plain" : "plughost")
    version = text_at(params, "protocolVersion")
    if (version != "2025-06-18") version = "2025-11-25"
    send_message(answer(request, "{\"protocolVersion\":\"" version "\",\"capabilities\":{\"tools\":" \
        "{\"listChanged\":false},\"logging\":{}" extension "},\"serverInfo\":" server_info() "}"))
}

function discover() {
    send_message(answer(request, "{\"supportedVersions\":[\"" STATELESS "\"],\"capabilities\":" \
        "{\"tools\":{\"listChanged\":false},\"logging\":{}},\"resultType\":\"complete\",\"ttlMs\":0," \
        "\"cacheScope\":\"private\",\"_meta\":{\"" META "serverInfo\":" server_info() "}}"))
}

function server_info() {
    return "{\"name\":\"disk-usage\",\"version\":\"1.0.0\"}"
}

function cached() {
    return shape == "stateless" ? ",\"ttlMs\":0,\"cacheScope\":\"private\"" : ""
}

function call(    tool, wrong, token) {
    tool = text_at(params, "name")
    if (!(tool in arguments))
        return refuse(-32602, "tool-not-found", "there is no tool `" tool "`; there are usage, largest, free")
    wrong = arguments_read(tool, json_at(params, "arguments"))
    if (wrong != "") return refuse(-32602, "invalid-arguments", wrong)
    token = id_of(json_at(json_at(params, "_meta"), "progressToken"))
    print "job " harmless(request) " " tool " " shape " " harmless(given["path"]) " " \
        (given["depth"] == "" ? 0 : given["depth"]) " " (given["top"] == "" ? 1 : given["top"]) " " \
        (given["cross_filesystems"] == "true" ? "cross" : "stay") " " (token == "" ? "-" : harmless(token))
}

function harmless(text,    out, byte, i) {
    for (i = 1; i <= length(text); i++) {
        byte = substr(text, i, 1)
        out = out (byte ~ /[A-Za-z0-9\/._]/ ? byte : sprintf("\\0%03o", JSON_ORDINAL[byte]))
    }
    return out
}
