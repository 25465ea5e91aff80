#!/bin/sh
# Sets up a clone: system packages, npm packages, native helpers, bundle. Each step is left out where its result stands already.
# `--tests`: also the few programs that tests start beside anchorhold, and the container engines that REQUIRE_ENGINES names (none where it is
# not set: a daemon is nobody's to install unasked).
set -eu
tests=no
[ "${1:-}" != --tests ] || tests=yes
cd "$(dirname "$0")/.."
root=$(pwd -P)

say() { printf 'anchorhold set-up: %s\n' "$*" >&2; }
stop() {
  say "$1"
  [ -z "${2:-}" ] || printf '  To mend it: %s\n' "$2" >&2
  exit 1
}
has() { command -v "$1" >/dev/null 2>&1; }

# ask_rights WHAT FIRST THEN (FIRST may be empty): says what will be done as root and how, asks where somebody can answer, and sets `rights`. Ends where nobody may.
ask_rights() {
  terminal=no
  if [ -t 0 ] && [ -t 2 ] && [ -z "${CI:-}" ]; then terminal=yes; fi
  if [ "$(id -u)" = 0 ]; then
    rights=
  elif has sudo && sudo -n true 2>/dev/null; then
    rights='sudo -n '
  elif has sudo && [ "$terminal" = yes ]; then
    rights='sudo '
  elif has sudo; then
    rights='sudo '
    refuse "$1; that needs root, and sudo would ask for a password." '' "$2" "$3"
  else
    rights=
    refuse "$1; that needs root." 'as root: ' "$2" "$3"
  fi
  say "$1; doing that now:"
  printf '  %s\n' "$(chain "$2" "$3")" >&2
  [ "$terminal" = yes ] || return 0
  printf '  Go on? [Y/n] ' >&2
  read -r answer || answer=n
  case $answer in
    '' | y | Y | yes) ;;
    *) stop 'nothing was changed.' "$(chain "$2" "$3")" ;;
  esac
}
refuse() { # refuse WHY WHO FIRST THEN
  say "$1"
  printf '  To mend it: %s\n' "$2$(chain "$3" "$4"); then run this command again" >&2
  [ -z "$once" ] || printf '  Or, with what `npm test` needs besides: %s\n' "$2$(chain "$3" "$once")" >&2
  exit 1
}
once=
chain() { printf '%s' "${1:+$rights$1 && }$rights$2"; }

# --- 1. What must be there before anything can be fetched -------------------------------------------------------------------
has node || stop 'Node is not installed (20 or later is needed to start; the right one is then brought along).' 'install Node with npm, see https://nodejs.org'
major=$(node -p 'process.versions.node.split(".")[0]')
[ "$major" -ge 20 ] || stop "Node $major is too old to start with; 20 or later is needed." 'install a later Node'
has npm || stop 'npm is not installed.' 'install npm; it comes with Node'
[ "$(uname -s)" = Linux ] || stop "anchorhold needs Linux; this is $(uname -s)." 'run it in a Linux machine'

# --- 2. System packages: a C compiler with the headers and the static C library, bubblewrap, git -----------------------------
static_works() {
  probe=$(mktemp -d) || return 1
  printf '#include <linux/seccomp.h>\n#include <stdio.h>\nint main(void) { return 0; }\n' >"$probe/a.c"
  if cc -static -o "$probe/a" "$probe/a.c" 2>/dev/null; then works=0; else works=1; fi
  rm -rf "$probe"
  return "$works"
}
missing=
{ has cc && { [ -x dist/native/anchorhold-enter ] || static_works; }; } || missing="$missing compiler"
has bwrap || missing="$missing bubblewrap"
has git || missing="$missing git"
later= # what only the tests need; asked for only where it matters
if [ "$tests" = yes ] || [ -n "$missing" ]; then
  for program in curl openssl perl strace; do
    has "$program" || later="$later $program"
  done
  # Of the system itself: a cell sees no other one.
  PATH=/usr/bin:/bin python3 -m pip --version >/dev/null 2>&1 || later="$later pip"
  [ -x /usr/bin/java ] || later="$later java"
fi
if [ "$tests" = yes ]; then
  for program in $(
    case ,${REQUIRE_ENGINES:-}, in *,docker,* | *,podman,* | *,gvisor,*) echo mmdebstrap runc ;; esac
    case ,${REQUIRE_ENGINES:-}, in *,docker,*) echo docker dockerd docker-compose ;; esac
    case ,${REQUIRE_ENGINES:-}, in *,podman,*) echo podman newuidmap ;; esac
    case ,${REQUIRE_ENGINES:-}, in *,gvisor,*) echo runsc ;; esac
  ); do
    # Some lie where an ordinary user's PATH does not look.
    has "$program" || [ -x "/usr/sbin/$program" ] || later="$later $program"
  done
fi
[ "$tests" = no ] || { missing=$missing$later && later=; }

packages_for() { # packages_for apt|dnf|pacman|apk|zypper: the names of what is missing there
  for what in $missing; do
    case $1:$what in
      apt:compiler) printf ' gcc libc6-dev' ;;
      dnf:compiler) printf ' gcc glibc-devel glibc-static kernel-headers' ;;
      pacman:compiler) printf ' gcc glibc linux-api-headers' ;;
      apk:compiler) printf ' gcc musl-dev linux-headers' ;;
      zypper:compiler) printf ' gcc glibc-devel glibc-devel-static linux-glibc-devel' ;;
      apt:pip | dnf:pip | zypper:pip) printf ' python3 python3-pip' ;;
      pacman:pip) printf ' python python-pip' ;;
      apk:pip) printf ' python3 py3-pip' ;;
      apt:java) printf ' default-jre-headless' ;;
      dnf:java) printf ' java-latest-openjdk-headless' ;;
      pacman:java) printf ' jre-openjdk-headless' ;;
      zypper:java) printf ' java-17-openjdk-headless' ;;
      apk:java) printf ' openjdk17-jre-headless' ;;
      apt:docker | apt:dockerd) printf ' docker.io' ;;
      dnf:docker | dnf:dockerd) printf ' moby-engine' ;;
      *:dockerd) printf ' docker' ;;
      apt:newuidmap) printf ' uidmap' ;;
      *:newuidmap) printf ' shadow-utils' ;;
      *) printf ' %s' "$what" ;;
    esac
  done
}

if [ -n "$missing" ]; then
  if has apt-get; then
    packages=$(packages_for apt) more=$(missing=$later && packages_for apt)
    install="env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends$packages"
    refresh='apt-get update'
  elif has dnf; then
    packages=$(packages_for dnf) more=$(missing=$later && packages_for dnf)
    install="dnf install -y$packages"
    refresh=
  elif has pacman; then
    packages=$(packages_for pacman) more=$(missing=$later && packages_for pacman)
    install="pacman -S --noconfirm --needed$packages"
    refresh=
  elif has zypper; then
    packages=$(packages_for zypper) more=$(missing=$later && packages_for zypper)
    install="zypper --non-interactive install$packages"
    refresh=
  elif has apk; then
    packages=$(packages_for apk) more=$(missing=$later && packages_for apk)
    install="apk add$packages"
    refresh=
  else
    stop "these are missing:$missing; no known package manager was found." 'install them with the one of this system'
  fi

  # Whoever has to ask an administrator should have to ask once.
  [ -z "$later" ] || once="$install$more"
  ask_rights "system packages are missing:$packages" "$refresh" "$install"
  once=
  # A broken third-party source makes the refresh fail, though the packages can be had: installing decides.
  # shellcheck disable=SC2086 # package names of our own, one word each
  { [ -z "$refresh" ] || $rights$refresh </dev/null >&2 || true; } && $rights$install </dev/null >&2 ||
    stop 'the packages could not be installed (see above).' "$(chain "$refresh" "$install")"
fi

# --- 3. npm packages ----------------------------------------------------------------------------------------------------------
ours() {
  for place in "$root" "$root/dist" "$root/node_modules"; do
    [ ! -e "$place" ] || [ -w "$place" ] || return 1
  done
}
writable() {
  ours || stop "this clone belongs to another user and is not set up (or not up to date): $root" "set it up as its owner, or clone it into a folder of your own"
}
sum() { sha256sum | cut -d' ' -f1; }
stamp_is() { [ -f "$1" ] && [ "$(cat "$1")" = "$2" ]; }

# Two set-ups at once (two terminals) take turns.
if has flock && ours && mkdir -p dist; then
  exec 8>dist/.setup-lock
  flock 8
fi

# The lock alone names what is installed; package.json changes more often.
packages_sum=$(sum <package-lock.json)
if ! stamp_is node_modules/.anchorhold-packages "$packages_sum" || [ ! -x node_modules/node/bin/node ]; then
  writable
  say 'installing npm packages (a bundled Node among them)'
  npm ci --no-audit --no-fund --loglevel=error </dev/null >&2 || stop 'npm ci failed (see above).' 'npm ci'
  # The package `node` fetches its binary by an install script, which a user's own `ignore-scripts` keeps from running.
  [ -x node_modules/node/bin/node ] || npm rebuild node --ignore-scripts=false --loglevel=error </dev/null >&2 || true
  [ -x node_modules/node/bin/node ] || stop 'the bundled Node was not installed: npm did not run its install script.' 'npm rebuild node --ignore-scripts=false'
  printf '%s\n' "$packages_sum" >node_modules/.anchorhold-packages
fi

# --- 4. Native helpers and the bundle -------------------------------------------------------------------------------------------
if ours; then
  before=$(cat dist/native/.built dist/.built 2>/dev/null || true)
  sh scripts/build.sh --stale >&2 || stop 'the build failed (see above).' 'sh scripts/build.sh'
  [ "$before" = "$(cat dist/native/.built dist/.built)" ] || say 'built'
elif [ ! -f dist/.built ] || [ ! -f dist/native/.built ]; then
  writable
fi

# --- 5. Ubuntu keeps user namespaces from programs without an AppArmor profile ------------------------------------------------------
restricted=/proc/sys/kernel/apparmor_restrict_unprivileged_userns
if [ "$(id -u)" != 0 ] && [ -r "$restricted" ] && [ "$(cat "$restricted")" = 1 ] && ! grep -qsF "\"$root/dist/native/anchorhold-cell\"" /etc/apparmor.d/anchorhold; then
  ask_rights 'AppArmor keeps user namespaces from programs without a profile; one for anchorhold is to be installed' '' "sh '$root/scripts/apparmor.sh'"
  ${rights}sh scripts/apparmor.sh </dev/null >&2 || stop 'the profile could not be installed.' "sudo sh '$root/scripts/apparmor.sh'"
fi

# --- 6. Can this machine build the wall? (quick: what was found right once, for this build and kernel, is not asked again) -----
state="$(cat dist/native/.built dist/.built | sum) $(uname -r)"
if ! stamp_is "dist/.checked-$(id -u)" "$state"; then
  if findings=$(bin/anchorhold doctor 2>&1 </dev/null); then
    [ ! -w dist ] || printf '%s\n' "$state" >"dist/.checked-$(id -u)"
    say 'ready: this machine can build the wall (anchorhold doctor says more)'
  else
    printf '%s\n' "$findings" >&2
    say 'set up, but this machine cannot build the wall yet: see above, or run `bin/anchorhold doctor --fix`'
    exit 1
  fi
fi
