# How full the filesystem of a path is: df's last line as an answer.

{
    # A heading and the numbers; the end of the second line leaves an empty third.
    split($0, line, "\n")
    numbers = line[2]
}

function summary(    field, mount, used, available) {
    split(numbers, field, " ")
    # Everything from the eighth field on: a mount point may hold blanks.
    mount = numbers
    sub(/^ *[^ ]+ +[^ ]+ +[^ ]+ +[^ ]+ +[^ ]+ +[^ ]+ +[^ ]+ +/, "", mount)
    used = field[2]
    available = field[3]
    return "{\"path\":" json_quote(ENVIRON["JOB_PATH"]) ",\"mount\":" json_quote(mount) ",\"type\":" json_quote(field[7]) \
        ",\"size_bytes\":" count_of(field[1]) ",\"used_bytes\":" count_of(used) \
        ",\"available_bytes\":" count_of(available) \
        ",\"used_percent\":" (used + available > 0 ? sprintf("%.1f", 100 * used / (used + available)) : 0) \
        ",\"inodes\":{\"total\":" count_of(field[4]) ",\"used\":" count_of(field[5]) \
        ",\"available\":" count_of(field[6]) "}}"
}

# df writes "-" for what a filesystem does not have.
function count_of(field) {
    return field ~ /^[0-9]+$/ ? field : "null"
}
