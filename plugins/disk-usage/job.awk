# How the records of one job become its answer.
#
# The programs beside this one take the records that are no failure, and define
#   summary()   the answer's data, as JSON

BEGIN { RS = "\0" }

# "!exception|what|next step", from walk.sh
/^!/ {
    split(substr($0, 2), failed, "|")
    next
}

# ".STATUS", and what is left between a line's end and it
/^\.[0-9]+$/ {
    ended = 1
    status = substr($0, 2)
    next
}

/^\n*$/ { next }

{ records++ }

END {
    # The walk was stopped: what came so far would pass for the whole.
    if (!ended) exit
    # find ends with 1 when something vanished while it looked.
    if (status > 1)
        split("interrupted|the measurement ended with status " status "|Call again; the plugin's log says more.", failed, "|")
    if (!failed[1] && !records)
        split("no-records|nothing was measured|Read the plugin's log: its last lines say why.", failed, "|")
    id = ENVIRON["JOB_REQUEST"]
    shape = ENVIRON["JOB_SHAPE"]
    path = ENVIRON["JOB_PATH"]
    if (failed[1])
        send_answer(ENVIRON["JOB"], tool_error(id, shape, failed[1], path ": " failed[2] ". " failed[3]))
    else
        send_answer(ENVIRON["JOB"], tool_result(id, shape, summary()))
}
