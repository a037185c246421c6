# Sourced by the installers beside it: unpacks packages of Debian sid into a folder, with every library that they need down to libc. Their
# programs are started by the packages' own dynamic loader: whatever release this machine runs, nothing of it changes, and no rights are
# needed.

# The folder for a name: the override where one is given, else a cache, the machine's where it may be written.
home_for() { # NAME OVERRIDE
  if [ -n "$2" ]; then
    echo "$2"
  elif mkdir -p /var/cache/cairn 2>/dev/null && [ -w /var/cache/cairn ]; then
    echo "/var/cache/cairn/$1"
  else
    echo "${XDG_CACHE_HOME:-$HOME/.cache}/cairn/$1"
  fi
}

# Unpacks packages into $work, which replaces $home once the caller is content with it and calls keep_unpacked. Ends the script with
# $answer where done_before, which the caller defines, finds $home whole already, before or after another installer was waited for.
unpack_sid() { # WHAT SIZE PACKAGE...
  local what="$1" size="$2" tool mirror package
  shift 2
  if done_before; then echo "$answer"; exit 0; fi
  for tool in apt-get dpkg-deb flock; do
    command -v "$tool" >/dev/null || { echo "$what: taken from Debian's packages, and $tool is not on this machine." >&2; exit 1; }
  done

  mkdir -p "$(dirname "$home")"
  exec 9>"$home.lock"
  flock 9
  if done_before; then echo "$answer"; exit 0; fi
  work="$home.new"
  rm -rf "$work" "$home"
  mkdir -p "$work"/apt/{lists,archives}/partial "$work"/bin
  trap 'rm -rf "$work"' EXIT

  mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' | grep -E '/debian/?$' | head -n 1) || true
  [ -n "$mirror" ] || { echo "$what: taken from Debian's packages, and this machine's package sources name no mirror of Debian." >&2; exit 1; }
  echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror sid main" >"$work/apt/sources.list"
  : >"$work/apt/status" # nothing counts as installed, so every library comes along

  echo "Fetching $what (once; $size) ..." >&2
  sid_apt update
  sid_apt install -y --download-only --no-install-recommends "$@"
  for package in "$work"/apt/archives/*.deb; do dpkg-deb --fsys-tarfile "$package" | tar -x -C "$work"; done
  rm -rf "$work/apt"
}

keep_unpacked() {
  mv "$work" "$home"
  echo "$answer"
}

sid_apt() {
  apt-get -q -o Dir::State::Lists="$work/apt/lists" -o Dir::State::status="$work/apt/status" -o Dir::Cache::archives="$work/apt/archives" \
    -o Dir::Cache::pkgcache= -o Dir::Cache::srcpkgcache= -o Dir::Etc::sourcelist="$work/apt/sources.list" -o Dir::Etc::sourceparts=/dev/null \
    -o Dir::Etc::preferences=/dev/null -o Dir::Etc::preferencesparts=/dev/null -o Acquire::Languages=none -o APT::Sandbox::User="$(id -un)" \
    -o Acquire::Check-Valid-Until=false -o Debug::NoLocking=true "$@" >>"$work/log" 2>&1 ||
    { tail -n 20 "$work/log" >&2; exit 1; }
}
