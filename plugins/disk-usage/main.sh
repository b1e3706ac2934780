#!/bin/sh
# disk-usage: a plugin that is no more than sh, awk, find and df.
#
#   the host → read_requests ─┐
#              a job ─────────┼→ write_messages → the host
#              a job ─────────┘
#
# One process reads the wire and starts a job for each call, so that a ping is
# answered while a folder is measured.  One process writes the wire, so that two
# answers never mix; reply.awk says how a message reaches it.  Nothing is ever
# evaluated: what comes from outside stays inside variables and in quotes.

# awk works on bytes; set -f, because blanks separate the words of an action.
LC_ALL=C
export LC_ALL
set -f
# Relative paths, those of the caller too, count from the plugin's folder.
cd -- "$(dirname -- "$0")" || exit 1
newline='
'
# The wire's limit, contracts/wire §2.2.
max_message_bytes=4194304
# What the host speaks: see tool_result in reply.awk.
DISK_USAGE_SHAPE=plain
export DISK_USAGE_SHAPE
# What the awk of a job reads; start_job sets them.
export JOB JOB_REQUEST JOB_SHAPE JOB_PATH JOB_DEPTH JOB_TOP JOB_FILESYSTEMS JOB_TOKEN

read_requests() {
    jobs=''
    number=0
    while IFS= read -r line; do
        if [ "${#line}" -ge "$max_message_bytes" ]; then
            echo "disk-usage: a line of ${#line} bytes was left out" >&2
            continue
        fi
        actions=$(printf '%s\n' "$line" | awk -f json.awk -f reply.awk -f tools.awk \
            -f serve.awk)
        while IFS= read -r action; do
            act "$action"
        done <<END
$actions
END
    done
    stop_jobs
}

act() {
    case $1 in
    [WPE]*) printf '%s\n' "$1" ;;
    'mode '*) DISK_USAGE_SHAPE=${1#mode } ;;
    'cancel '*) cancel "${1#cancel }" ;;
    # Unquoted: the words of an action hold no blanks and no wildcard is expanded.
    'job '*) start_job ${1#job } ;;
    'shutdown '*)
        stop_jobs
        printf 'W{"jsonrpc":"2.0","id":%b,"result":{}}\n' "${1#shutdown }"
        exit 0
        ;;
    esac
}

# start_job KEY TOOL SHAPE PATH DEPTH TOP cross|stay TOKEN
start_job() {
    number=$((number + 1))
    # The x keeps line ends at the end of a path, which $(…) would drop.
    path=$(printf '%bx' "$4")
    path=${path%x}
    token=''
    [ "$8" = - ] || token=$(printf '%b' "$8")
    request=$(printf '%b' "$1")
    programs="-f $2.awk"
    [ "$2" = free ] || programs="-f walk.awk $programs"
    # Variables, not awk -v: that would undo backslashes.
    JOB=$number JOB_REQUEST=$request JOB_SHAPE=$3 JOB_PATH=$path JOB_DEPTH=$5 JOB_TOP=$6
    JOB_FILESYSTEMS=$7 JOB_TOKEN=$token
    # No braces around this: $! must be finish_job's own id.
    sh walk.sh "$2" "$path" "$7" </dev/null | finish_job "$programs" &
    jobs="$jobs $!:$number:$3:$1"
}

# Runs as the last process of a job, the one whose id `jobs` has.
finish_job() {
    walker='' worker=''
    # The first line comes at once: even a job stopped this early can stop its walk.
    trap '[ "$walker" ] || IFS= read -r walker; kill $worker $walker 2>/dev/null; exit 0' TERM
    IFS= read -r walker
    # A command in the background reads /dev/null unless it is told otherwise.
    exec 3<&0
    # Unquoted: these are names of ours, between blanks.
    awk -f json.awk -f reply.awk -f job.awk $1 <&3 &
    worker=$!
    wait "$worker"
}

# Forget the jobs that have ended, so that no other process's id is ever signalled.
forget_ended() {
    running=''
    for job in $jobs; do
        if kill -0 "${job%%:*}" 2>/dev/null; then running="$running $job"; fi
    done
    jobs=$running
}

# cancel KEY: stop the job; a host with our extensions waits for the answer (wire §7.2).
cancel() {
    forget_ended
    for job in $jobs; do
        rest=${job#*:*:}
        [ "${rest#*:}" = "$1" ] || continue
        kill -TERM "${job%%:*}" 2>/dev/null
        wait "${job%%:*}"
        numbered=${job#*:}
        # If the job answered in the meantime the writer drops this one.
        [ "${rest%%:*}" != plughost ] ||
            printf 'E%s {"jsonrpc":"2.0","id":%b,"error":{"code":-32800,"message":"%s","data":{"type":"cancelled","message":"%s","retryable":true}}}\n' \
                "${numbered%%:*}" "$1" 'the call was cancelled' 'the call was cancelled'
    done
}

stop_jobs() {
    forget_ended
    for job in $jobs; do
        kill -TERM "${job%%:*}" 2>/dev/null
    done
    wait
}

write_messages() {
    parts='' ended=' '
    while IFS= read -r chunk; do
        case $chunk in
        W*)
            printf '%s\n' "${chunk#W}"
            continue
            ;;
        esac
        job=${chunk%% *}
        job=${job#?}
        text=${chunk#* }
        case $ended in *" $job "*) continue ;; esac
        case $chunk in
        P*) parts=$parts$job' '$text$newline ;;
        E*) write_answer ;;
        esac
    done
}

# Put the parts of $job together, and keep those of other jobs.
write_answer() {
    whole='' others=''
    while [ -n "$parts" ]; do
        part=${parts%%"$newline"*}
        parts=${parts#*"$newline"}
        case $part in
        "$job "*) whole=$whole${part#* } ;;
        *) others=$others$part$newline ;;
        esac
    done
    parts=$others
    printf '%s\n' "$whole$text"
    [ "$job" != 0 ] || return 0
    # A job that ended long ago cannot write any more: its number may be forgotten.
    ended=" $job$ended"
    [ "${#ended}" -lt 1000 ] || ended="${ended% * } "
}

if [ -t 0 ]; then
    echo 'disk-usage is a plugin: start it with `plughost call disk-usage usage path=/tmp`.' >&2
    exit 64
fi
read_requests | write_messages
