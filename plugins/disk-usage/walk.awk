# How the records of walk.sh become calls of entry(), and which entries are the largest.
#
# The program beside this one defines
#   entry(type, depth, allocated, apparent, path)   one file or folder

BEGIN {
    # find counts in blocks of 512 bytes, whatever the filesystem's are.
    BLOCK_BYTES = 512
    # Some 60 bytes each; beyond that a further name of a file is counted again.
    MAX_LINKS = 200000
    # A few times a second.
    RECORDS_PER_PROGRESS = 20000
    # As many as a person reads.
    MAX_UNREADABLE_SHOWN = 5
    root = ENVIRON["JOB_PATH"]
    stay = ENVIRON["JOB_FILESYSTEMS"] == "stay"
    top = ENVIRON["JOB_TOP"] + 0
}

{
    if (records % RECORDS_PER_PROGRESS == 0) progress()
    device = substr($6, 1, index($6, ":") - 1)
    if (records == 1) root_device = device
    # find -xdev still names the folders other filesystems are mounted on.
    if (stay && device != root_device) next
    # Not $7: a path may hold blanks.
    path = substr($0, length($1 $2 $3 $4 $5 $6) + 7)
    if ($1 == "u") unreadable(path)
    if ($1 != "d" && $5 > 1 && met_before($6)) next
    entry($1 == "u" ? "d" : $1, $2, $3 * BLOCK_BYTES, $4, path)
}

# Whether another name of the same file was an entry already.
function met_before(identity) {
    if (identity in links) {
        links_left_out++
        return 1
    }
    if (links_met < MAX_LINKS) {
        links[identity] = 1
        links_met++
    }
    return 0
}

function unreadable(path) {
    if (++unreadables <= MAX_UNREADABLE_SHOWN)
        unreadable_shown = unreadable_shown (unreadables > 1 ? "," : "") json_quote(full(path))
}

function unreadable_summary() {
    return "{\"count\":" unreadables + 0 ",\"paths\":[" unreadable_shown "]}"
}

function full(path) {
    if (path == "") return root
    return (root ~ /\/$/ ? root : root "/") path
}

function progress() {
    if (ENVIRON["JOB_TOKEN"] == "") return
    send_message("{\"jsonrpc\":\"2.0\",\"method\":\"notifications/progress\",\"params\":{\"progressToken\":" \
        ENVIRON["JOB_TOKEN"] ",\"progress\":" records ",\"message\":\"" records " files and folders\"}}")
}

# Keep the `top` largest offers, in order; equal ones by path.
function offer(bytes, path, rest,    i) {
    offers++
    if (!top || (kept == top && !before(bytes, path, kept))) return
    if (kept < top) kept++
    for (i = kept; i > 1 && before(bytes, path, i - 1); i--) {
        kept_bytes[i] = kept_bytes[i - 1]
        kept_path[i] = kept_path[i - 1]
        kept_rest[i] = kept_rest[i - 1]
    }
    kept_bytes[i] = bytes
    kept_path[i] = path
    kept_rest[i] = rest
}

function before(bytes, path, i) {
    return bytes > kept_bytes[i] || (bytes == kept_bytes[i] && path < kept_path[i])
}

function offers_listed(    list, quoted, i) {
    for (i = 1; i <= kept; i++) {
        json_lossy = 0
        quoted = json_quote(full(kept_path[i]))
        list = list (i > 1 ? "," : "") "{\"path\":" quoted ",\"bytes\":" json_integer(kept_bytes[i]) \
            kept_rest[i] (json_lossy ? ",\"lossy\":true" : "") "}"
    }
    return "[" list "]"
}
