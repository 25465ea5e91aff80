#!/bin/sh
# Types, lint, layers, format, dead code. Every check runs; the exit code tells whether one failed.
# `sh scripts/lint.sh FILE…` lints and checks the format of these files only.
set -u
cd "$(dirname "$0")/.."
PATH=$PWD/node_modules/.bin:$PATH
export PATH
failed=
check() {
  name=$1
  shift
  if output=$("$@" 2>&1); then
    printf 'ok      %s\n' "$name"
  else
    printf 'FAILED  %s\n%s\n' "$name" "$output"
    failed="$failed $name"
  fi
}
if [ $# -gt 0 ]; then
  check oxlint oxlint --deny-warnings "$@"
  check oxfmt oxfmt --check "$@"
else
  check types tsc -p .
  check oxlint oxlint --deny-warnings --report-unused-disable-directives src test scripts bench vitest.config.ts
  check layers node scripts/layers.ts
  check oxfmt oxfmt --check src test scripts bench vitest.config.ts package.json
  check knip knip
fi
[ -z "$failed" ] || { printf 'lint failed:%s\n' "$failed" && exit 1; }
