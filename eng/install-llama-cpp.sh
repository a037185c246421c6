#!/usr/bin/env bash
# Makes a folder with llama.cpp's programs, which Cairn's tests and benchmarks run beside its own engine, and prints its path.
# The packages are Debian sid's, unpacked with every library that they need down to libc, and started by their own dynamic loader:
# whatever release this machine runs, nothing of it changes, and no rights are needed. Does nothing where the folder is there already.
set -euo pipefail

if [ -n "${CAIRN_LLAMA_CPP:-}" ]; then
  home="$CAIRN_LLAMA_CPP"
elif mkdir -p /var/cache/cairn 2>/dev/null && [ -w /var/cache/cairn ]; then
  home=/var/cache/cairn/llama.cpp
else
  home="${XDG_CACHE_HOME:-$HOME/.cache}/cairn/llama.cpp"
fi
programs=(llama-server llama-cli llama-bench llama-quantize)

done_before() { [ -x "$home/bin/llama-server" ] && "$home/bin/llama-server" --version >/dev/null 2>&1; }
if done_before; then echo "$home/bin"; exit 0; fi
for tool in apt-get dpkg-deb flock; do
  command -v "$tool" >/dev/null || { echo "llama.cpp is taken from Debian's packages, and $tool is not on this machine." >&2; exit 1; }
done

mkdir -p "$(dirname "$home")"
exec 9>"$home.lock"
flock 9
if done_before; then echo "$home/bin"; exit 0; fi
work="$home.new"
rm -rf "$work" "$home"
mkdir -p "$work"/apt/{lists,archives}/partial "$work"/bin
trap 'rm -rf "$work"' EXIT

mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' | grep -E '/debian/?$' | head -n 1) || true
[ -n "$mirror" ] || { echo "llama.cpp is taken from Debian's packages, and this machine's package sources name no mirror of Debian." >&2; exit 1; }
echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror sid main" >"$work/apt/sources.list"
: >"$work/apt/status" # nothing counts as installed, so every library comes along

apt() {
  apt-get -q -o Dir::State::Lists="$work/apt/lists" -o Dir::State::status="$work/apt/status" -o Dir::Cache::archives="$work/apt/archives" \
    -o Dir::Cache::pkgcache= -o Dir::Cache::srcpkgcache= -o Dir::Etc::sourcelist="$work/apt/sources.list" -o Dir::Etc::sourceparts=/dev/null \
    -o Dir::Etc::preferences=/dev/null -o Dir::Etc::preferencesparts=/dev/null -o Acquire::Languages=none -o APT::Sandbox::User="$(id -un)" \
    -o Acquire::Check-Valid-Until=false -o Debug::NoLocking=true "$@" >>"$work/log" 2>&1 ||
    { tail -n 20 "$work/log" >&2; exit 1; }
}
echo "Fetching llama.cpp (once; 40 MB) ..." >&2
apt update
apt install -y --download-only --no-install-recommends llama.cpp-tools
for package in "$work"/apt/archives/*.deb; do dpkg-deb --fsys-tarfile "$package" | tar -x -C "$work"; done
rm -rf "$work/apt"

libraries=$(dirname "$(find "$work/usr/lib" -path '*-linux-gnu/libllama.so.*' | head -n 1)")
libraries=${libraries#"$work"/}
loader=$(basename "$(find "$work/$libraries" -maxdepth 1 -name 'ld-linux*' | head -n 1)")
# Builds for different processors are looked for beside the running program, which is the loader.
(cd "$work/$libraries" && ln -sf ggml/backends*/*.so .)
for program in "${programs[@]}"; do
  cat >"$work/bin/$program" <<SCRIPT
#!/bin/sh
root=\$(dirname "\$(dirname "\$(readlink -f "\$0")")")
lib="\$root/$libraries"
exec "\$lib/$loader" --argv0 $program --library-path "\$lib:\$lib/llama" "\$root/usr/bin/$program" "\$@"
SCRIPT
  chmod +x "$work/bin/$program"
done
"$work/bin/llama-server" --version >/dev/null 2>&1 || { echo "llama.cpp was unpacked in $work and does not start." >&2; exit 1; }
mv "$work" "$home"
echo "$home/bin"
