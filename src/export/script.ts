// The three containers as a shell script of plain `docker` commands. Pure.
import type { Service } from './services.ts'

/** Stands for the script's own folder and for this start's name until they are written as variables. */
const here = '@HERE@'
const name = '@NAME@'

export function scriptFile(services: readonly Service[], head: readonly string[]): string {
  const [gateway, holder, cell] = services
  if (gateway === undefined || holder === undefined || cell === undefined) throw new Error('three services')
  return `#!/bin/sh
${head.map((line) => `# ${line}`.trimEnd()).join('\n')}
set -eu
HERE=$(cd "$(dirname "$0")" && pwd -P)
case $HERE in *[,\\"]*) echo "move this folder: docker cannot be told of $HERE" >&2; exit 125 ;; esac
NAME=anchorhold-export-$$
docker build --quiet --tag ${quoted(gateway.image)} "$HERE/gateway" >&2
docker build --quiet --tag ${quoted(cell.image)} "$HERE/cell" >&2
clean_up() {
  docker stop --time 5 "$NAME-gateway" >/dev/null 2>&1 || true # it ends its journal
  docker rm --force --volumes "$NAME-cell" "$NAME-holder" "$NAME-gateway" >/dev/null 2>&1 || true
  docker volume rm --force "$NAME-door" >/dev/null 2>&1 || true
}
trap clean_up EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM
${line(['run', '--detach', ...wordsOf(gateway)])} >/dev/null
${line(['run', '--detach', ...wordsOf(holder)])} >/dev/null
until docker exec "$NAME-gateway" ${(gateway.health ?? []).map(quoted).join(' ')} 2>/dev/null; do
  if [ "$(docker inspect --format '{{.State.Running}}' "$NAME-gateway" 2>/dev/null)" != true ]; then
    docker logs "$NAME-gateway" >&2 || true
    echo 'the gateway did not start' >&2
    exit 125
  fi
  sleep 0.1
done
[ $# -gt 0 ] || set -- ${cell.command.map(quoted).join(' ')}
TERMINAL=
if [ -t 0 ] && [ -t 1 ]; then TERMINAL=--tty; fi
${line(['run', '--interactive'])} \${TERMINAL:+"$TERMINAL"} ${wordsOf({ ...cell, command: [] })
    .map(shown)
    .join(' ')} "$@"
`
}

function line(words: readonly string[]): string {
  return ['docker', ...words].map(shown).join(' ')
}

function shown(word: string): string {
  return quoteMarked(word, [
    [here, '"$HERE"'],
    [name, '"$NAME"'],
  ])
}

function quoteMarked(word: string, marks: readonly (readonly [mark: string, text: string])[]): string {
  const [first, ...rest] = marks
  if (first === undefined) return word === '' ? '' : quoted(word)
  const [mark, text] = first
  if (word === '') return "''"
  return word
    .split(mark)
    .map((part) => (part === '' ? '' : quoteMarked(part, rest)))
    .join(text)
}

function wordsOf(service: Service): readonly string[] {
  const { network, sysctls, ulimits, memory, cpus, shmBytes, workdir, seccomp, entrypoint } = service
  const [program, ...first] = entrypoint
  return [
    ...(service.name === 'cell' ? ['--rm'] : []),
    '--pull',
    'never',
    '--name',
    `${name}-${service.name}`,
    '--user',
    service.user,
    '--network',
    network.startsWith('service:') ? `container:${name}-${network.slice('service:'.length)}` : network,
    '--read-only',
    '--cap-drop',
    'ALL',
    ...service.capAdd.flatMap((each) => ['--cap-add', each]),
    '--security-opt',
    'no-new-privileges',
    ...(seccomp === undefined ? [] : ['--security-opt', `seccomp=${here}/${seccomp}`]),
    ...Object.entries(sysctls).flatMap(([key, value]) => ['--sysctl', `${key}=${value}`]),
    '--ipc',
    'private',
    ...(service.init ? ['--init'] : []),
    '--pids-limit',
    String(service.pids),
    ...(memory === undefined ? [] : ['--memory', String(memory), '--memory-swap', String(memory)]),
    ...(cpus === undefined ? [] : ['--cpus', String(cpus)]),
    ...Object.entries(ulimits).flatMap(([key, value]) => ['--ulimit', `${key}=${value}:${value}`]),
    ...(shmBytes === undefined ? [] : ['--shm-size', String(shmBytes)]),
    ...service.tmpfs.flatMap((each) => ['--tmpfs', each]),
    ...service.volumes.flatMap((volume) => ['--mount', csv(['type=volume', `source=${name}-${volume.name}`, `target=${volume.to}`])]),
    ...service.binds.flatMap(({ from, to, mode }) => [
      '--mount',
      csv(['type=bind', `source=${from.replace(/^\.(?=\/)/, here)}`, `target=${to}`, ...(mode === 'ro' ? ['readonly'] : [])]),
    ]),
    ...service.environment.flatMap(([key, value]) => ['--env', value === undefined ? key : `${key}=${value}`]),
    ...(workdir === undefined ? [] : ['--workdir', workdir]),
    '--entrypoint',
    program,
    service.image,
    ...first,
    ...service.command,
  ]
}

/** For any POSIX shell; it is read by one, and by people only where it is plain. */
function quoted(word: string): string {
  return /^[\w%+,./:=@^-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`
}

/** RFC 4180, as docker reads `--mount`. */
function csv(fields: readonly string[]): string {
  return fields.map((field) => (/[",]/.test(field) ? `"${field.replaceAll('"', '""')}"` : field)).join(',')
}
