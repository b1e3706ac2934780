# How a message reaches the one process that writes the wire.
#
# Several processes share a pipe to that writer.  A write of at most PIPE_BUF bytes
# (4096 on Linux, pipe(7)) is never torn, so a message travels as chunks of one line:
#   W<message>       a whole message
#   P<job> <text>    a part of the answer of a job
#   E<job> <text>    its last part; whatever comes later from this job is dropped
# Job 0 is the reader itself and answers any number of times.

BEGIN {
    # Leaves room for the mark, the job's number and the line's end below 4096.
    CHUNK_BYTES = 4000
}

function send_message(message) {
    if (length(message) <= CHUNK_BYTES) {
        printf "W%s\n", message
        fflush()
    }
    else send_answer(0, message)
}

function send_answer(job, message,    from) {
    for (from = 1; from + CHUNK_BYTES <= length(message); from += CHUNK_BYTES) {
        printf "P%s %s\n", job, substr(message, from, CHUNK_BYTES)
        fflush()
    }
    printf "E%s %s\n", job, substr(message, from)
    fflush()
}

# Return the answer to a tools/call: wire §5.2 to §5.6.
# shape is "plughost" (no text block), "plain", or "stateless" (plain, and marked complete).
function tool_result(id, shape, data,    content) {
    content = shape == "plughost" ? "" : "{\"type\":\"text\",\"text\":" json_quote(data) "}"
    return answer(id, "{\"content\":[" content "],\"structuredContent\":" data completed(shape) "}")
}

function tool_error(id, shape, exception, message,    quoted) {
    quoted = json_quote(message)
    return answer(id, "{\"content\":[{\"type\":\"text\",\"text\":" quoted "}],\"isError\":true," \
        "\"_meta\":{\"plughost/error\":{\"type\":\"tool-error\",\"message\":" quoted \
        ",\"retryable\":false,\"details\":{\"exception\":" json_quote(exception) "}}}" completed(shape) "}")
}

function completed(shape) {
    return shape == "stateless" ? ",\"resultType\":\"complete\"" : ""
}

function answer(id, result) {
    return "{\"jsonrpc\":\"2.0\",\"id\":" id ",\"result\":" result "}"
}

# type may be "": then the code says it all.
function failure(id, code, type, message,    data) {
    if (type != "")
        data = ",\"data\":{\"type\":\"" type "\",\"message\":" json_quote(message) ",\"retryable\":false}"
    return "{\"jsonrpc\":\"2.0\",\"id\":" id ",\"error\":{\"code\":" code ",\"message\":" \
        json_quote(message) data "}}"
}
