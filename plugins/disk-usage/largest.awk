# Which files are the largest, by what they allocate.

function entry(type, depth, allocated, apparent, path) {
    if (type == "f") offer(allocated, path, ",\"apparent_bytes\":" json_integer(apparent))
}

function summary() {
    return "{\"path\":" json_quote(root) ",\"files\":" offers + 0 ",\"largest\":" offers_listed() \
        ",\"unreadable\":" unreadable_summary() "}"
}
