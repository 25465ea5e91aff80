// Shell completion scripts, made from commander's own tree of commands, so that they can't fall behind it.
// Words come from our own source; still, each is quoted for its shell.
import type { Command, Option } from 'commander'

export type Shell = 'bash' | 'zsh' | 'fish'

interface Entry {
  /** "", "run", "sessions prune", … */
  readonly path: string
  /** Whether it takes any number of arguments, which are not ours to complete. */
  readonly many: boolean
  readonly options: readonly {
    readonly flags: readonly string[]
    readonly about: string
    readonly takesValue: boolean
    readonly choices: readonly string[]
  }[]
  readonly commands: readonly { readonly name: string; readonly about: string }[]
}

/** Choices that are written in an option's text only. */
const choices: Readonly<Record<string, readonly string[]>> = {
  '--workspace': ['live', 'readonly'],
  '--mode': ['ask', 'allow-listed', 'auto'],
}

/** A script to be evaluated by the shell (`eval "$(anchorhold completion bash)"`), for the whole tree below `program`. */
export function completionScript(shell: Shell, program: Command): string {
  const entries = walk(program, [])
  if (shell === 'fish') return fish(entries)
  return shell === 'zsh' ? zsh(entries) : bash(entries)
}

function walk(command: Command, path: readonly string[]): readonly Entry[] {
  const visible = command.commands.filter((child) => child.name() !== 'help')
  const entry: Entry = {
    path: path.join(' '),
    many: command.registeredArguments.some((argument) => argument.variadic),
    options: [...command.options.map(optionEntry), { flags: ['-h', '--help'], about: 'show help', takesValue: false, choices: [] }],
    commands: visible.map((child) => ({ name: child.name(), about: child.summary() || child.description() })),
  }
  return [entry, ...visible.flatMap((child) => walk(child, [...path, child.name()]))]
}

function optionEntry(option: Option): Entry['options'][number] {
  const flags = [option.short, option.long].filter((flag) => flag !== undefined)
  return {
    flags,
    about: option.description,
    takesValue: option.required || option.optional,
    choices: option.argChoices ?? choices[option.long ?? ''] ?? [],
  }
}

function quote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`
}

/**
 * Which command the typed words are in: the longest known path. Values of options are passed over; what follows the first
 * argument of a command with many (`run claude …`) belongs to another program, so nothing of ours is offered there.
 */
const findPath = (
  words: string,
  entries: readonly Entry[],
) => `  local path='' word skip='' valued=${bars(entries.flatMap(({ options }) => options.filter((option) => option.takesValue).flatMap(({ flags }) => flags)))}
  for word in ${words}; do
    if [ -n "$skip" ]; then skip=''; continue; fi
    case "$word" in --) return ;; -*) case "$valued" in *"|$word|"*) skip=1 ;; esac; continue ;; esac
    case "$commands" in
      *"|\${path:+$path }$word|"*) path="\${path:+$path }$word" ;;
      *) case ${bars(entries.filter((entry) => entry.many).map(({ path }) => path))} in *"|$path|"*) return ;; *) break ;; esac ;;
    esac
  done`

function bars(words: readonly string[]): string {
  return quote(`|${[...new Set(words)].filter((word) => word !== '').join('|')}|`)
}

function known(entries: readonly Entry[]): string {
  return bars(entries.map((entry) => entry.path))
}

function bash(entries: readonly Entry[]): string {
  const words = (entry: Entry) =>
    [...entry.commands.map((command) => command.name), ...entry.options.flatMap((option) => option.flags)].join(' ')
  const values = entries.flatMap((entry) =>
    entry.options
      .filter((option) => option.choices.length > 0)
      .map(
        (option) =>
          `    ${quote(`${entry.path} ${option.flags.at(-1) ?? ''}`)}) COMPREPLY=($(compgen -W ${quote(option.choices.join(' '))} -- "$cur")); return ;;`,
      ),
  )
  return `# bash completion for anchorhold; load it with: eval "$(anchorhold completion bash)"
_anchorhold() {
  local cur="\${COMP_WORDS[COMP_CWORD]}" prev="\${COMP_WORDS[COMP_CWORD-1]}" commands=${known(entries)}
${findPath('"${COMP_WORDS[@]:1:COMP_CWORD-1}"', entries)}
  case "$path $prev" in
${values.join('\n')}
  esac
  case "$path" in
${entries.map((entry) => `    ${quote(entry.path)}) COMPREPLY=($(compgen -W ${quote(words(entry))} -- "$cur")) ;;`).join('\n')}
  esac
}
complete -o default -o bashdefault -F _anchorhold anchorhold
`
}

function zsh(entries: readonly Entry[]): string {
  const described = (name: string, about: string) => quote(`${name.replaceAll(':', '\\:')}:${about}`)
  const lines = entries.map((entry) => {
    const all = [
      ...entry.commands.map((command) => described(command.name, command.about)),
      ...entry.options.flatMap((option) => option.flags.map((flag) => described(flag, option.about))),
    ]
    return `    ${quote(entry.path)}) known=(${all.join(' ')}) ;;`
  })
  const values = entries.flatMap((entry) =>
    entry.options
      .filter((option) => option.choices.length > 0)
      .map(
        (option) =>
          `    ${quote(`${entry.path} ${option.flags.at(-1) ?? ''}`)}) compadd -- ${option.choices.map(quote).join(' ')}; return ;;`,
      ),
  )
  return `#compdef anchorhold
# zsh completion for anchorhold; load it with: source <(anchorhold completion zsh)
_anchorhold() {
  local -a known
  local prev="\${words[CURRENT-1]}" commands=${known(entries)}
${findPath('"${(@)words[2,CURRENT-1]}"', entries).replace(/\bpath\b/g, 'at')}
  case "$at $prev" in
${values.join('\n')}
  esac
  case "$at" in
${lines.join('\n')}
  esac
  _describe anchorhold known
  _files
}
compdef _anchorhold anchorhold
`
}

function fish(entries: readonly Entry[]): string {
  const condition = (entry: Entry) => {
    if (entry.path === '') return '__fish_use_subcommand'
    const seen = entry.path.split(' ').map((name) => `__fish_seen_subcommand_from ${name}`)
    const deeper = entry.commands.map((command) => `not __fish_seen_subcommand_from ${command.name}`)
    return [...seen, ...deeper].join('; and ')
  }
  const lines = entries.flatMap((entry) => [
    ...entry.commands.map(
      (command) =>
        `complete -c anchorhold -f -n ${fishQuote(condition(entry))} -a ${fishQuote(command.name)} -d ${fishQuote(command.about)}`,
    ),
    ...entry.options.map((option) => {
      const flags = option.flags.map((flag) => (flag.startsWith('--') ? `-l ${flag.slice(2)}` : `-s ${flag.slice(1)}`)).join(' ')
      const values = option.choices.length > 0 ? ` -f -a ${fishQuote(option.choices.join(' '))}` : ''
      return `complete -c anchorhold -n ${fishQuote(condition(entry))} ${flags}${option.takesValue ? ' -r' : ''}${values} -d ${fishQuote(option.about)}`
    }),
  ])
  return `# fish completion for anchorhold; load it with: anchorhold completion fish | source\n${lines.join('\n')}\n`
}

/** Single quotes in fish know two escapes: \\\\ and \\'. */
function fishQuote(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`
}
