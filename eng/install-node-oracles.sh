#!/usr/bin/env bash
# Installs the npm packages that tests compare with, pinned by their lock file, under artifacts/. Does nothing where they are there already.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
from=tests/Cairn.Frameworks.Tests/Oracles
to=artifacts/node-oracles

command -v node >/dev/null && command -v npm >/dev/null || { echo "Missing: node (20 or later) and npm." >&2; exit 1; }
mkdir -p "$to"
exec 9>"$to/.lock"
if command -v flock >/dev/null; then flock 9; fi
cp "$from"/*.mjs tests/Cairn.Serving.Tests/Clients/*.mjs "$to/"
stamp=$(cat "$from/package.json" "$from/package-lock.json" | cksum)
[ "$(cat "$to/.installed" 2>/dev/null)" = "$stamp" ] && exit 0
cp "$from/package.json" "$from/package-lock.json" "$to/"
log=$(mktemp)
trap 'rm -f "$log"' EXIT
if ! (cd "$to" && npm ci --ignore-scripts --no-audit --no-fund) >"$log" 2>&1; then
  tail -n 20 "$log" >&2
  exit 1
fi
printf '%s' "$stamp" >"$to/.installed"
