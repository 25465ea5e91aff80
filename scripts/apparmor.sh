#!/bin/sh
# Installs the AppArmor profile that lets anchorhold make user namespaces where the system keeps them from programs without one (Ubuntu
# 23.10 and later). Needs root: `sudo sh scripts/apparmor.sh`. To take it back: `apparmor_parser -R FILE`, then remove FILE.
# The same text as src/engines/bubblewrap/apparmor.ts. bubblewrap gets none: started by us it keeps this one, or has the system's.
set -eu
cd "$(dirname "$0")/.."
cell=$(pwd -P)/dist/native/anchorhold-cell
profile=/etc/apparmor.d/anchorhold

[ "$(id -u)" = 0 ] || { printf 'anchorhold: this needs root: sudo sh %s\n' "$0" >&2 && exit 1; }
case $cell in
  *\"* | *\\* | *[*?{}]*) printf 'anchorhold: no profile can be written for such a path: %s\n' "$cell" >&2 && exit 1 ;;
esac
[ -x "$cell" ] || { printf 'anchorhold: not built yet: %s\n' "$cell" >&2 && exit 1; }

cat >"$profile.new" <<END
abi <abi/4.0>,
include <tunables/global>

profile anchorhold-cell "$cell" flags=(unconfined) {
  userns,
}
END
mv -f "$profile.new" "$profile"
apparmor_parser -r "$profile"
printf 'anchorhold: installed %s\n' "$profile" >&2
