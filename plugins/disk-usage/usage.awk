# How much a folder takes, and which of its entries take most.
#
# find names a folder before what is in it, so one stack of open folders is enough:
# memory grows with the depth of the tree and not with its size.

BEGIN {
    depth_listed = ENVIRON["JOB_DEPTH"] + 0
    open = -1
    TYPES["f"] = "file"; TYPES["d"] = "folder"; TYPES["l"] = "link"
}

function entry(type, depth, allocated, apparent, path) {
    while (open >= depth) leave()
    if (type == "d") {
        folders++
        open = depth
        folder_path[depth] = path
        folder_allocated[depth] = allocated
        folder_apparent[depth] = apparent
        folder_files[depth] = 0
        return
    }
    files++
    if (depth == 0) {
        total_allocated = allocated
        total_apparent = apparent
        return
    }
    folder_allocated[open] += allocated
    folder_apparent[open] += apparent
    folder_files[open]++
    if (depth <= depth_listed) offer(allocated, path, described(type, apparent, ""))
}

# The innermost open folder is complete.
function leave() {
    if (open == 0) {
        total_allocated = folder_allocated[0]
        total_apparent = folder_apparent[0]
    } else {
        folder_allocated[open - 1] += folder_allocated[open]
        folder_apparent[open - 1] += folder_apparent[open]
        folder_files[open - 1] += folder_files[open]
        if (open <= depth_listed)
            offer(folder_allocated[open], folder_path[open], \
                  described("d", folder_apparent[open], ",\"files\":" folder_files[open]))
    }
    open--
}

function described(type, apparent, more) {
    return ",\"apparent_bytes\":" json_integer(apparent) ",\"type\":\"" \
        (type in TYPES ? TYPES[type] : "other") "\"" more
}

function summary() {
    while (open >= 0) leave()
    return "{\"path\":" json_quote(root) ",\"bytes\":" json_integer(total_allocated) \
        ",\"apparent_bytes\":" json_integer(total_apparent) ",\"files\":" files + 0 \
        ",\"folders\":" folders + 0 ",\"entries\":" offers_listed() \
        ",\"entries_left_out\":" offers - kept ",\"links_left_out\":" links_left_out + 0 \
        ",\"unreadable\":" unreadable_summary() "}"
}
