// A real terminal for tests: a pseudo terminal of script(1) with a shell on it, what it shows, and which modes it was left in.
import { spawn } from 'node:child_process'
import { onTestFinished } from 'vitest'
import { bin, type World } from './anchorhold.ts'

export interface Terminal {
  type(text: string): void
  /** Resolves with what was shown since the last call, up to and with the text. */
  see(text: string): Promise<string>
  /** Everything that was ever shown. */
  readonly all: () => string
}

/** An interactive shell in the project, with `anchorhold` as a word. `reply` plays the terminal's own answers: query in, bytes typed back. */
export function openTerminal(world: World, reply: Readonly<Record<string, string>> = {}): Terminal {
  const env = { ...world.env, PS1: 'outer> ', BIN: bin }
  const shell = 'stty rows 30 cols 120; anchorhold() { "$BIN" "$@"; }; unset PROMPT_COMMAND; exec 2>&1; PS1="outer> "'
  const child = spawn('script', ['-qefc', '/bin/bash --norc --noprofile -i', '/dev/null'], {
    cwd: world.project,
    env,
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  onTestFinished(() => void child.kill('SIGKILL'))
  let all = ''
  let from = 0
  let answered = 0
  const waiting = new Set<() => void>()
  child.stdout.setEncoding('latin1').on('data', (text: string) => {
    all += text
    for (const [query, answer] of Object.entries(reply)) {
      const at = all.indexOf(query, answered)
      if (at === -1) continue
      answered = at + query.length
      child.stdin.write(answer)
    }
    for (const wake of waiting) wake()
  })
  child.stdin.on('error', () => undefined)
  child.stdin.write(`${shell}\n`)
  return {
    type: (text) => void child.stdin.write(text),
    all: () => all,
    see: (text) =>
      new Promise((resolve, reject) => {
        const look = (): void => {
          const at = all.indexOf(text, from)
          if (at === -1) return
          clearTimeout(timer)
          waiting.delete(look)
          const seen = all.slice(from, at + text.length)
          from = at + text.length
          resolve(seen)
        }
        const timer = setTimeout(() => {
          waiting.delete(look)
          reject(new Error(`not shown: ${JSON.stringify(text)} but ${JSON.stringify(all.slice(from))}`))
        }, 20_000)
        waiting.add(look)
        look()
      }),
  }
}

/** What a terminal obeys beyond colours and the tidying after a run: anything left here came from somebody else. */
export function foreignControls(shown: string): readonly string[] {
  const own = shown.replace(/\x1b\[[0-9;]*m/g, '').replace(/\x1b\[\?2004[hl]/g, '')
  return [...own.matchAll(/[^\t\r\n -~\x80-\xff]|\xc2[\x80-\x9f]|\xe2\x80[\x8b-\x8f\xa8-\xae]|\xe2\x81[\xa0-\xaf]|\xef\xbb\xbf/g)].map(
    ([found]) => JSON.stringify(found),
  )
}

const alternate = ['47', '1047', '1049']
const named: Readonly<Record<string, string>> = { '7': 'no wrap', '25': 'no cursor' }

/**
 * Private modes that are not as a shell needs them after all this was shown (DECSET and DECRST, xterm's list), the alternate screen and the
 * character set among them. Bracketed paste is the outer shell's own to switch.
 */
export function modesLeft(shown: string): readonly string[] {
  const left = new Set<string>()
  const mark = (name: string, on: boolean): void => void (on ? left.add(name) : left.delete(name))
  for (const [found, list = '', verb] of shown.matchAll(/\x1b\[\?([0-9;]+)([hl])|\x1b\[!p|[\x0e\x0f]/g)) {
    if (found === '\x0e' || found === '\x0f') mark('character set', found === '\x0e')
    // DECSTR: cursor, wrap and application keys as at the start; not the mouse, not the screen.
    if (found === '\x1b[!p') for (const name of ['no cursor', 'no wrap', '1']) left.delete(name)
    for (const mode of list.split(';').filter((each) => each !== '' && each !== '2004')) {
      const usuallyOn = Object.hasOwn(named, mode)
      mark(alternate.includes(mode) ? 'alternate screen' : (named[mode] ?? mode), (verb === 'h') !== usuallyOn)
    }
  }
  return [...left].toSorted()
}
