# Starts every client of `anchorhold prove` beside the others, each with its own list, and says which are not here.
here=$1 nonce=$2
absent() { printf '%s\t-\t0\t%s\tlacking\t\n' "$nonce" "$1"; }
bounded() { if command -v timeout >/dev/null 2>&1; then timeout "${ANCHORHOLD_PROVE_SECONDS:-12}" "$@"; else "$@"; fi }
sh "$here/attempts.sh" "$here/list.sh" "$nonce" </dev/null &
"$here/static" "$here/list.static" "$nonce" </dev/null &
if ! [ -s "$here/list.node" ]; then :; elif command -v node >/dev/null 2>&1; then bounded node "$here/attempts.mjs" "$here/list.node" "$nonce" </dev/null & else absent node; fi
if ! [ -s "$here/list.python" ]; then :; elif command -v python3 >/dev/null 2>&1; then bounded python3 "$here/attempts.py" "$here/list.python" "$nonce" </dev/null & else absent python; fi
wait
printf '%s\t-\t0\t-\tend\t\n' "$nonce"
