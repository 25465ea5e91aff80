# The shell client of `anchorhold prove`: see native/probe.c for the lines it reads and writes.
nonce=$2
tab=$(printf '\t')
hex() { od -An -v -tx1 -N1500 | tr -d ' \n'; }
say() { printf '%s\t%s\t%s\tsh\t%s\t%s\n' "$nonce" "$probe" "$number" "$1" "$2"; }
with_token() { printf '%b' "$1" | sed "s|%TOKEN%|$ANCHORHOLD_PROVE_TOKEN|g"; }
# Port of the proxy, method, address, field, body, host of the tunnel; `-` where there is none.
fetch() {
  proxy=$1 method=$2 address=$(with_token "$3") field=$(with_token "$4") body=$(with_token "$5") to=$6
  set -- -sSkf -m 5 --path-as-is -x "http://127.0.0.1:$proxy" -X "$method"
  if [ "$field" != - ]; then set -- "$@" -H "$field"; fi
  if [ "$body" != - ]; then set -- "$@" --data "$body"; fi
  if [ "$to" != - ]; then set -- "$@" --connect-to "::$to:443"; fi
  curl "$@" "$address"
}
while IFS=$tab read -r probe number verb first second third fourth fifth sixth _; do
  case $verb in
    read) what=$(out=$(cat -- "$first" 2>/dev/null) && printf '%s' "$out" | hex) ;;
    write) what=$({ printf '%b' "$second" >>"$first"; } 2>/dev/null) ;;
    list) what=$(out=$(ls -a -- "$first" 2>/dev/null) && printf '%s' "$out" | hex) ;;
    env) what=$(env | hex) ;;
    run) what=$(out=$(sh -c "$first" 2>/dev/null </dev/null) && printf '%s' "$out" | hex) ;;
    fetch)
      command -v curl >/dev/null 2>&1 || { say lacking "" && continue; }
      what=$(out=$(fetch "$first" "$second" "$third" "$fourth" "$fifth" "$sixth" 2>/dev/null </dev/null) && printf '%s' "$out" | hex)
      ;;
    *) say lacking "" && continue ;;
  esac
  case $? in
    0) say 'done' "$what" ;;
    127) say lacking "" ;; # a tool that is not there has refused nothing
    *) say refused "$what" ;;
  esac
done <"$1"
