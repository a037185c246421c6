#!/usr/bin/env bash
# Makes a folder with Python, Hugging Face's tokenizers and Jinja, which the frameworks' tests compare with, and prints its path.
# The packages are Debian sid's; see debian-sid.sh. Does nothing where the folder is there already.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/debian-sid.sh"

home=$(home_for python-oracles "${CAIRN_PYTHON_ORACLES:-}")
answer="$home"
done_before() { [ -x "$home/bin/python" ] && "$home/bin/python" -c 'import tokenizers, jinja2' >/dev/null 2>&1; }
unpack_sid "Python's tokenizers and Jinja" "80 MB" python3-tokenizers python3-jinja2
rm -rf "$work/usr/share" "$work/usr/lib/git-core"

python=$(basename "$(readlink "$work/usr/bin/python3")")
libraries=$(dirname "$(find "$work" -path '*-linux-gnu/ld-linux*' -o -path '*-linux-gnu/libc.so.6' | head -n 1)")
libraries=${libraries#"$work"/}
loader=$(basename "$(find "$work/$libraries" -maxdepth 1 -name 'ld-linux*' | head -n 1)")
cat >"$work/bin/python" <<SCRIPT
#!/bin/sh
root=\$(dirname "\$(dirname "\$(readlink -f "\$0")")")
lib="\$root/$libraries"
PYTHONHOME="\$root/usr" PYTHONPATH="\$root/usr/lib/python3/dist-packages" exec "\$lib/$loader" --library-path "\$lib" "\$root/usr/bin/$python" -s "\$@"
SCRIPT
chmod +x "$work/bin/python"
"$work/bin/python" -c 'import tokenizers, jinja2' >&2 || { echo "Python was unpacked in $work and does not start." >&2; exit 1; }
keep_unpacked
