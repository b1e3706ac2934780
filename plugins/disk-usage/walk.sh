# What is below a path, record by record: run by main.sh for one job.
#
# usage: sh walk.sh TOOL PATH cross|stay
# The first line is this process's id, so that the job can be stopped.
# Then come records that end in NUL, which no path can hold:
#   type depth blocks bytes links device:inode path-below-PATH
# or df's two lines, or "!exception|what|next step"; and last ".STATUS" of the program
# that measured, without which nothing was measured to its end.

# $! is the program once it runs; a shell alone would not pass the signal on.
trap 'kill $! 2>/dev/null; exit 1' TERM
printf '%s\n' "$$"

fail() {
    printf '!%s\0.0\0' "$1"
    exit 0
}

measure() {
    "$@" &
    wait "$!"
    # df does not end its lines with NUL.
    printf '\0.%s\0' "$?"
    exit 0
}

tool=$1 filesystems=$3
# A relative path could begin with a dash and be taken for an option.
case $2 in
/*) start=$2 ;;
*) start=./$2 ;;
esac

if [ ! -e "$start" ]; then
    [ ! -L "$start" ] || fail 'not-found|this is a symbolic link to nothing|Give the path of what it should point to.'
    fail "not-found|there is nothing at this path|Check it (it was looked up from $(pwd), the plugin's folder, so prefer an absolute one) and that it is granted: --grant fs_read=PATH."
fi
[ "$tool" != free ] ||
    measure df -B1 --output=size,used,avail,itotal,iused,iavail,fstype,target -- "$start"
if [ -d "$start" ] && { [ ! -r "$start" ] || [ ! -x "$start" ]; }; then
    fail 'permission-denied|this folder may not be read|Choose another, or grant it: chmod u+rx, and --grant fs_read=PATH.'
fi

set -- "$start"
[ "$filesystems" = cross ] || set -- "$@" -xdev
# A folder that cannot be entered is a record of its own kind instead of a complaint.
measure find -H "$@" \
    -type d \( ! -readable -o ! -executable \) -printf 'u %d %b %s %n %D:%i %P\0' -prune -o \
    -printf '%y %d %b %s %n %D:%i %P\0'
