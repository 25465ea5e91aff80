#!/bin/sh
# Prints the path of a tar that becomes the base image of container tests (`docker import`, `podman import`): Debian packages and the Node of
# this clone. Made once for each recipe, which is this file and that Node; kept in $ANCHORHOLD_TEST_CACHE or ~/.cache/anchorhold-test.
set -eu
cd "$(dirname "$0")/.."
cache=${ANCHORHOLD_TEST_CACHE:-${HOME:?}/.cache/anchorhold-test}/base
node=node_modules/node/bin/node
[ -x "$node" ] || { printf 'The bundled Node is missing: npm run setup\n' >&2; exit 1; }

suite=bookworm
# What an image of ours has, and what tests call inside.
packages=ca-certificates,curl,git,iproute2,openssl,perl,procps,python3-minimal,ripgrep,strace

recipe=$({ cat scripts/test-base.sh && "$node" --version && uname -m; } | sha256sum | cut -c1-16)
tar=$cache/$recipe.tar
if [ ! -f "$tar" ]; then
  command -v mmdebstrap >/dev/null || { printf 'mmdebstrap is missing: sh scripts/setup.sh --tests\n' >&2; exit 1; }
  mkdir -p "$cache"
  exec 8>"$cache/.lock"
  flock 8
  if [ ! -f "$tar" ]; then
    printf 'making the base image of the container tests (once)\n' >&2
    partial=$cache/.partial.$$
    trap 'rm -f "$partial.tar"' EXIT
    SOURCE_DATE_EPOCH=1700000000 mmdebstrap --quiet --variant=minbase --include="$packages" \
      --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/locale/*' \
      "$suite" "$partial.tar" </dev/null >&2
    tar --append --file="$partial.tar" --absolute-names --owner=0 --group=0 --mode=755 --transform='s,.*,./usr/local/bin/node,' "$node"
    mv "$partial.tar" "$tar"
    # One recipe at a time: each of them has 320 MB.
    find "$cache" -name '*.tar' ! -name "$recipe.tar" -delete
  fi
fi
printf '%s\n' "$tar"
