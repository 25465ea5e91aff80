#!/bin/sh
# Builds the native helpers and the bundle into dist/. `--stale`: only what is older than its sources, told by their hashes.
# Safe to run again, also while anchorhold runs: every file is written beside its place and renamed over it.
set -eu
cd "$(dirname "$0")/.."
mkdir -p dist/native
if [ "${1:-}" = --stale ]; then stale=yes; else stale=no; fi

# Two builds at once (two terminals, a test run) take turns.
if command -v flock >/dev/null 2>&1; then
  exec 9>dist/.lock
  flock 9
fi

hash_of() { # hash_of PATHS…: one hash over names and contents
  find "$@" -type f | LC_ALL=C sort | tr '\n' '\0' | xargs -0 sha256sum | sha256sum | cut -d' ' -f1
}
fresh() { # fresh STAMP HASH
  [ "$stale" = yes ] && [ -f "$1" ] && [ "$(cat "$1")" = "$2" ]
}

common='-O2 -std=gnu11 -Wall -Wextra -Werror -D_FORTIFY_SOURCE=2 -fstack-protector-strong'
native() { # native NAME FLAGS AND SOURCES…
  name=$1
  shift
  # shellcheck disable=SC2086 # the flags are words of our own
  cc $common -o "dist/native/.$name.$$" "$@"
  mv -f "dist/native/.$name.$$" "dist/native/$name"
}
hash=$(hash_of native scripts/build.sh)
if ! fresh dist/native/.built "$hash" || [ ! -x dist/native/anchorhold-cell ]; then
  native anchorhold-cell -fPIE -pie native/cell*.c native/common*.c
  native anchorhold-enter -static native/enter*.c
  native anchorhold-hold -static native/hold.c native/hold-packet.c native/cell-net.c native/common.c
  native anchorhold-init -static native/init*.c native/hold-packet.c native/cell-porter.c native/cell-mover.c native/cell-owned.c native/common.c
  native anchorhold-bridge -fPIE -pie native/bridge*.c native/hold-packet.c native/cell-terminal.c native/common.c
  native anchorhold-lend -static native/lend.c native/cell-net.c native/common.c
  native anchorhold-scout -fPIE -pie native/scout*.c
  native anchorhold-upper -fPIE -pie native/upper.c
  native anchorhold-probe -static native/probe.c
  printf '%s\n' "$hash" >dist/native/.built
fi

# An installed package has the native sources only.
[ -d src ] || exit 0
hash=$(hash_of native/walk scripts/build.sh package-lock.json)
if ! fresh dist/.built-walk "$hash" || [ ! -f dist/walk.wasm ]; then
  node_modules/node/bin/node node_modules/assemblyscript/bin/asc.js native/walk/walk.ts -o "dist/.walk.$$" -O3 --noAssert --runtime stub \
    --importMemory --memoryBase 1024 --enable simd --enable bulk-memory
  mv -f "dist/.walk.$$" dist/walk.wasm
  printf '%s\n' "$hash" >dist/.built-walk
fi
hash=$(hash_of src scripts/*.ts tsconfig.json tsconfig.types.json package-lock.json)
if ! fresh dist/.built "$hash" || [ ! -f dist/cli.cjs ]; then
  node_modules/node/bin/node scripts/bundle.ts
  printf '%s\n' "$hash" >dist/.built
fi
