#!/usr/bin/env bash
# Makes a folder with llama.cpp's programs, which Cairn's tests and benchmarks run beside its own engine, and prints its path.
# The packages are Debian sid's; see debian-sid.sh. Does nothing where the folder is there already.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/debian-sid.sh"

home=$(home_for llama.cpp "${CAIRN_LLAMA_CPP:-}")
answer="$home/bin"
done_before() { [ -x "$home/bin/llama-server" ] && "$home/bin/llama-server" --version >/dev/null 2>&1; }
unpack_sid llama.cpp "40 MB" llama.cpp-tools

libraries=$(dirname "$(find "$work/usr/lib" -path '*-linux-gnu/libllama.so.*' | head -n 1)")
libraries=${libraries#"$work"/}
loader=$(basename "$(find "$work/$libraries" -maxdepth 1 -name 'ld-linux*' | head -n 1)")
# Builds for different processors are looked for beside the running program, which is the loader.
(cd "$work/$libraries" && ln -sf ggml/backends*/*.so .)
for program in llama-server llama-cli llama-bench llama-quantize; do
  cat >"$work/bin/$program" <<SCRIPT
#!/bin/sh
root=\$(dirname "\$(dirname "\$(readlink -f "\$0")")")
lib="\$root/$libraries"
exec "\$lib/$loader" --argv0 $program --library-path "\$lib:\$lib/llama" "\$root/usr/bin/$program" "\$@"
SCRIPT
  chmod +x "$work/bin/$program"
done
"$work/bin/llama-server" --version >/dev/null 2>&1 || { echo "llama.cpp was unpacked in $work and does not start." >&2; exit 1; }
keep_unpacked
