#!/bin/sh
# Runs one task's setup and run and remembers how they ended. It lives on when the daemon dies.
#
#   supervise.sh CONTROL_FOLDER
#
# The control folder holds `launch` (shell assignments: workdir, shell, mask, prefix, groups, setup, barrier, setup_script, run_script) and
# the FIFOs go, stdout and stderr. This script writes there: supervisor, STEP.pid and STEP.exit, drained, stdout.raw and stderr.raw.
# The task's environment, secrets included, is this script's own and is never written anywhere.
cd "$1" || exit 70
. ./launch
# The FIFO is held open for both directions, so that a word sent before it is awaited is not lost and no end of file is seen.
exec 9<>go </dev/null >>supervisor.log 2>&1

# The task writes into FIFOs and not into the files themselves: a script that opens /dev/stdout anew would cut a file. The two pumps hold
# nothing of the task's environment and are in none of its cgroups.
env -i /bin/cat <stdout >>stdout.raw 9<&- & out_pump=$!
env -i /bin/cat <stderr >>stderr.raw 9<&- & err_pump=$!
exec 7>stdout 8>stderr

# A result must survive a full disk: writing it is tried until there is room.
put() {
  until printf '%s\n' "$2" >"$1.new" && mv -f "$1.new" "$1"; do sleep 1; done
}

# PID and start time, which together name a process once.
name_of() {
  read -r stat <"/proc/$1/stat" || stat=
  set -- "$1" ${stat##*) }
  printf '%s %s' "$1" "${21:-0}"
}

step() {
  (
    for group in $groups; do echo 0 >"$group/cgroup.procs"; done
    umask "$mask"
    cd "$workdir" || exit 71
    exec >&7 2>&8 7>&- 8>&- 9<&-
    exec setsid $prefix "$shell" "$2"
  ) &
  child=$!
  put "$1.pid" "$(name_of "$child")"
  wait "$child"
  code=$?
  # $? cannot tell `exit 137` from SIGKILL; the job table can, where the shell still has the job.
  how=exit
  if [ "$code" -gt 128 ]; then
    jobs -l >jobs.list 2>/dev/null
    grep -q 'Done(' jobs.list || { how=signal; code=$((code - 128)); }
  fi
  put "$1.exit" "$how $code"
  [ "$how $code" = "exit 0" ]
}

# The pumps end when the last process that could still write is gone.
finish() {
  exec 7>&- 8>&-
  wait "$out_pump" "$err_pump"
  put drained yes
  exit 0
}

put supervisor "$(name_of $$)"
if [ "$setup" = yes ]; then step setup "$setup_script" || finish; else put setup.exit "exit 0"; fi
if [ "$barrier" = yes ]; then
  read -r word <&9
  [ "$word" = go ] || finish
  . ./begin
fi
step run "$run_script"
finish
