# Sourced by the batch scripts: run_to_the_end COMMAND... runs what stops on SIGTERM and goes on when run again.
# SIGUSR1 (the time limit is near): the command is told to stop, and the job is queued again. SIGTERM (cancelled or
# preempted): it is told to stop; Slurm itself queues preempted jobs again. Returns the command's exit code.

SECONDS_TO_STOP=60  # mobius needs 30 at most

say() { printf '%s %s\n' "$(date +%FT%T)" "$*"; }

command=
asked_to_stop=

stop_command() {
    say "$1"
    asked_to_stop=yes
    if [[ -n $command ]]; then
        kill -TERM "$command" 2> /dev/null || true
    fi
}

run_to_the_end() {
    local time_is_up='' status=0
    trap 'time_is_up=yes; stop_command "time is up"' USR1
    trap 'stop_command "told to stop"' TERM INT
    "$@" &
    command=$!
    if [[ -n $asked_to_stop ]]; then
        kill -TERM "$command"
    fi
    wait "$command" || status=$?
    if [[ -n $asked_to_stop ]]; then  # the signal ended the wait, not the command
        status=0
        timeout "$SECONDS_TO_STOP" tail --pid="$command" --follow /dev/null || kill -KILL "$command"
        wait "$command" || status=$?
    fi
    trap - USR1 TERM INT
    say "$1 ended with exit code $status"
    if [[ -n $time_is_up && $status -ne 0 ]]; then
        say "queued again"
        scontrol requeue "$SLURM_JOB_ID"
    fi
    return "$status"
}
