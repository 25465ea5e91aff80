# The shell client of `anchorhold prove`: see native/probe.c for the lines it reads and writes.
nonce=$2
tab=$(printf '\t')
hex() { od -An -v -tx1 -N1500 | tr -d ' \n'; }
say() { printf '%s\t%s\t%s\tsh\t%s\t%s\n' "$nonce" "$probe" "$number" "$1" "$2"; }
while IFS=$tab read -r probe number verb first second _; do
  case $verb in
    read) what=$(out=$(cat -- "$first" 2>/dev/null) && printf '%s' "$out" | hex) ;;
    write) what=$({ printf '%b' "$second" >>"$first"; } 2>/dev/null) ;;
    list) what=$(out=$(ls -a -- "$first" 2>/dev/null) && printf '%s' "$out" | hex) ;;
    env) what=$(env | hex) ;;
    run) what=$(out=$(sh -c "$first" 2>/dev/null </dev/null) && printf '%s' "$out" | hex) ;;
    *) say lacking "" && continue ;;
  esac
  if [ $? -eq 0 ]; then say 'done' "$what"; else say refused "$what"; fi
done <"$1"
