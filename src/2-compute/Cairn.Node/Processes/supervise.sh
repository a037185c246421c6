#!/bin/sh
# Runs one task's setup and run and remembers how they ended. It lives on when the daemon dies.
#
#   supervise.sh CONTROL_FOLDER
#
# The control folder holds `launch` (shell assignments: workdir, shell, mask, prefix, groups, setup, barrier, setup_script, run_script), the FIFO `go`, and what this
# script writes: supervisor, STEP.pid and STEP.exit, stdout.raw, stderr.raw. The task's environment, secrets included, is this
# script's own and is never written anywhere.
cd "$1" || exit 70
. ./launch
# The FIFO is held open for both directions, so that a word sent before it is awaited is not lost and no end of file is seen.
exec 9<>go </dev/null >>supervisor.log 2>&1

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
    exec 9<&-
    exec setsid $prefix "$shell" "$2"
  ) >>stdout.raw 2>>stderr.raw &
  child=$!
  put "$1.pid" "$(name_of "$child")"
  wait "$child"
  code=$?
  # $? cannot tell `exit 137` from SIGKILL; the job table can, where the shell still has the job.
  jobs -l >jobs.list 2>/dev/null
  how=exit
  if [ "$code" -gt 128 ] && ! grep -q 'Done(' jobs.list; then how=signal; code=$((code - 128)); fi
  put "$1.exit" "$how $code"
  [ "$how $code" = "exit 0" ]
}

put supervisor "$(name_of $$)"
if [ "$setup" = yes ]; then step setup "$setup_script" || exit 0; else put setup.exit "exit 0"; fi
if [ "$barrier" = yes ]; then
  read -r word <&9
  [ "$word" = go ] || exit 0
  . ./begin
fi
step run "$run_script"
exit 0
