#!/usr/bin/env bash
# Installs the Debian packages that Cairn's demo and tests run for real: PyTorch with a fast BLAS, PostgreSQL, and Pebble, Let's Encrypt's test authority.
# Does nothing where they are there already; says what to install by hand where it may not or cannot.
set -uo pipefail

# With an argument, only that engine: `torch`.
wanted="${1:-all}"
missing=()
/usr/bin/python3 -c 'import torch' 2>/dev/null || missing+=(python3-torch libopenblas0-pthread)
[ "$wanted" = torch ] || ls /usr/lib/postgresql/*/bin/postgres >/dev/null 2>&1 || missing+=(postgresql)
[ "$wanted" = torch ] || command -v pebble >/dev/null || missing+=(pebble)
[ ${#missing[@]} -eq 0 ] && exit 0

if ! command -v apt-get >/dev/null || [ "$(id -u)" -ne 0 ]; then
  echo "Missing: ${missing[*]}. Install them with your package manager, or run this script as root on Debian." >&2
  exit 1
fi

log=$(mktemp)
trap 'rm -f "$log"' EXIT
export DEBIAN_FRONTEND=noninteractive
echo "Installing ${missing[*]} (once; some minutes) ..." >&2
if ! { apt-get update -q && apt-get install -y -q --no-install-recommends "${missing[@]}"; } >"$log" 2>&1; then
  tail -n 20 "$log" >&2
  exit 1
fi
