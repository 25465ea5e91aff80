#!/bin/sh
# Builds the native helpers and the bundle into dist/. Part of set-up; safe to run again, also while anchorhold runs:
# every file is written beside its place and renamed over it.
set -eu
cd "$(dirname "$0")/.."
mkdir -p dist/native

common='-O2 -std=gnu11 -Wall -Wextra -Werror -D_FORTIFY_SOURCE=2 -fstack-protector-strong'
native() { # native NAME FLAGS… -- SOURCES…
  name=$1
  shift
  # shellcheck disable=SC2086 # the flags are words of our own
  cc $common -o "dist/native/.$name.$$" "$@"
  mv -f "dist/native/.$name.$$" "dist/native/$name"
}
native anchorhold-cell -fPIE -pie native/cell*.c native/common*.c
native anchorhold-enter -static native/enter*.c
native anchorhold-scout -fPIE -pie native/scout*.c

[ "${1:-}" = native ] || node_modules/.bin/node scripts/bundle.ts
