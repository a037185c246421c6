#!/usr/bin/env bash
# Makes a folder with Python, Hugging Face's tokenizers and Jinja, which the frameworks' tests compare with, and prints its path.
# The packages are Debian sid's, unpacked with every library that they need down to libc, and started by their own dynamic loader:
# whatever release this machine runs, nothing of it changes, and no rights are needed. Does nothing where the folder is there already.
set -euo pipefail

if [ -n "${CAIRN_PYTHON_ORACLES:-}" ]; then
  home="$CAIRN_PYTHON_ORACLES"
elif mkdir -p /var/cache/cairn 2>/dev/null && [ -w /var/cache/cairn ]; then
  home=/var/cache/cairn/python-oracles
else
  home="${XDG_CACHE_HOME:-$HOME/.cache}/cairn/python-oracles"
fi

done_before() { [ -x "$home/bin/python" ] && "$home/bin/python" -c 'import tokenizers, jinja2' >/dev/null 2>&1; }
if done_before; then echo "$home"; exit 0; fi
for tool in apt-get dpkg-deb flock; do
  command -v "$tool" >/dev/null || { echo "Python's tokenizers are taken from Debian's packages, and $tool is not on this machine." >&2; exit 1; }
done

mkdir -p "$(dirname "$home")"
exec 9>"$home.lock"
flock 9
if done_before; then echo "$home"; exit 0; fi
work="$home.new"
rm -rf "$work" "$home"
mkdir -p "$work"/apt/{lists,archives}/partial "$work"/bin
trap 'rm -rf "$work"' EXIT

mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' | grep -E '/debian/?$' | head -n 1) || true
[ -n "$mirror" ] || { echo "Python's tokenizers are taken from Debian's packages, and this machine's package sources name no mirror of Debian." >&2; exit 1; }
echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror sid main" >"$work/apt/sources.list"
: >"$work/apt/status" # nothing counts as installed, so every library comes along

apt() {
  apt-get -q -o Dir::State::Lists="$work/apt/lists" -o Dir::State::status="$work/apt/status" -o Dir::Cache::archives="$work/apt/archives" \
    -o Dir::Cache::pkgcache= -o Dir::Cache::srcpkgcache= -o Dir::Etc::sourcelist="$work/apt/sources.list" -o Dir::Etc::sourceparts=/dev/null \
    -o Dir::Etc::preferences=/dev/null -o Dir::Etc::preferencesparts=/dev/null -o Acquire::Languages=none -o APT::Sandbox::User="$(id -un)" \
    -o Acquire::Check-Valid-Until=false -o Debug::NoLocking=true "$@" >>"$work/log" 2>&1 ||
    { tail -n 20 "$work/log" >&2; exit 1; }
}
echo "Fetching Python's tokenizers and Jinja (once; 80 MB) ..." >&2
apt update
apt install -y --download-only --no-install-recommends python3-tokenizers python3-jinja2
for package in "$work"/apt/archives/*.deb; do dpkg-deb --fsys-tarfile "$package" | tar -x -C "$work"; done
rm -rf "$work/apt" "$work/usr/share" "$work/usr/lib/git-core"

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
mv "$work" "$home"
echo "$home"
