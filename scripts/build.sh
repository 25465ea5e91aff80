#!/bin/sh
# Builds the native helpers and the bundle. Part of set-up; safe to run again.
set -eu
cd "$(dirname "$0")/.."
mkdir -p dist/native
flags="-O2 -std=gnu11 -Wall -Wextra -Werror -D_FORTIFY_SOURCE=2 -fstack-protector-strong -fPIE -pie"
cc $flags -o dist/native/anchorhold-cell native/cell*.c native/common*.c
cc -O2 -std=gnu11 -Wall -Wextra -Werror -D_FORTIFY_SOURCE=2 -fstack-protector-strong -static -o dist/native/anchorhold-enter native/enter*.c
cc $flags -o dist/native/anchorhold-scout native/scout*.c
