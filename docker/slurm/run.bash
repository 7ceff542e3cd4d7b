# Sourced by the batch scripts: run_to_the_end COMMAND... runs what stops on SIGTERM and goes on when run again.
# SIGUSR1 (the time limit is near): the command is told to stop, and the job is queued again. SIGTERM (cancelled or
# preempted): it is told to stop; Slurm itself queues preempted jobs again. Returns the command's exit code.

SECONDS_TO_STOP=60  # mobius needs 30 at most

say() { printf '%s %s\n' "$(date +%FT%T)" "$*"; }

run_to_the_end() {
    local time_is_up='' status=0 command
    "$@" &
    command=$!
    trap 'say "time is up"; time_is_up=yes; kill -TERM "$command"' USR1
    trap 'say "told to stop"; kill -TERM "$command"' TERM INT
    wait "$command" || status=$?
    if kill -0 "$command" 2> /dev/null; then  # a signal ended the wait, not the command
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
