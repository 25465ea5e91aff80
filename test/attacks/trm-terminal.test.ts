// The user's terminal during and after a run (attacks.md TRM-01, 02, 04, 05), on a real pseudo terminal with a shell outside.
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { makeWorld, type World } from '../support/anchorhold.ts'
import { modesLeft, openTerminal, type Terminal } from '../support/terminal.ts'

/** All that full-screen programs switch on, and a line discipline without echo. */
const mess = String.raw`printf '\033[?1049h\033[?1000h\033[?1002h\033[?1003h\033[?1004h\033[?1006h\033[?1015h\033[?25l\033[?7l\033[?1h\033=\033[5;10r\033(0\016\033[31m'; stty raw -echo`
const messed = ['1', '1000', '1002', '1003', '1004', '1006', '1015', 'alternate screen', 'character set', 'no cursor', 'no wrap']

async function lineDiscipline(terminal: Terminal): Promise<string> {
  terminal.type(`stty -a | tr ' ;' '\\n\\n' | grep -xE -- '-?(echo|icanon|isig|opost|icrnl)' | sort | tr '\\n' ' '; echo "do"ne\n`)
  const shown = await terminal.see('done')
  return shown.slice(shown.lastIndexOf('\n') + 1).replace('\x1b[?2004l\r', '')
}

/** The pid of anchorhold itself, from the journal of the only session. */
function ownPid(world: World): number {
  const sessions = path.join(world.home, '.local/state/anchorhold/sessions')
  const journal = readdirSync(sessions).map((id) => readFileSync(path.join(sessions, id, 'journal.jsonl'), 'utf8'))
  return Number(/"pid":(\d+)/.exec(journal.join(''))?.[1])
}

async function appears(file: string): Promise<void> {
  for (let waited = 0; !existsSync(file) && waited < 20_000; waited += 50) await sleep(50)
}

describe('TRM-05 the terminal is given back as it was', () => {
  it.each([
    ['an end with code 0', 'exit 0', 0],
    ['SIGKILL of the agent', 'kill -9 $$', 137],
    ['SIGKILL of all of its processes', 'kill -9 -1; kill -9 0', 137],
    ['SIGHUP to itself', 'kill -HUP $$', 129],
  ])('after %s', async (_what, ending, code) => {
    const world = makeWorld()
    writeFileSync(path.join(world.project, 'mess.sh'), `${mess}\n${ending}\n`)
    const terminal = openTerminal(world)
    const before = await lineDiscipline(terminal)
    terminal.type('anchorhold run sh mess.sh; echo "co"de $?\n')
    await terminal.see(`code ${code}`)
    expect(modesLeft(terminal.all())).toEqual([])
    expect(await lineDiscipline(terminal)).toBe(before)
    expect(before).toMatch(/^echo icanon icrnl isig opost done/)
  })

  it('LIMIT: after SIGKILL of anchorhold itself nobody is left to do it; the cell is gone, and the shell mends its own lines', async () => {
    const world = makeWorld()
    writeFileSync(path.join(world.project, 'mess.sh'), `${mess}\ntouch ready; while :; do touch alive; sleep 0.05; done\n`)
    const terminal = openTerminal(world)
    const before = await lineDiscipline(terminal)
    terminal.type('anchorhold run sh mess.sh; echo "co"de $?\n')
    await appears(path.join(world.project, 'ready'))
    process.kill(ownPid(world), 'SIGKILL')
    await terminal.see('code 137')
    expect(modesLeft(terminal.all())).toEqual(messed)
    expect(await lineDiscipline(terminal)).toBe(before)
    for (let tries = 0; tries < 100; tries++) {
      rmSync(path.join(world.project, 'alive'), { force: true })
      await sleep(200)
      if (!existsSync(path.join(world.project, 'alive'))) return
    }
    throw new Error('the cell outlived anchorhold')
  })

  it('control: the same program without anchorhold leaves all of it behind', async () => {
    const world = makeWorld()
    writeFileSync(path.join(world.project, 'mess.sh'), `${mess}\nexit 0\n`)
    const terminal = openTerminal(world)
    const before = await lineDiscipline(terminal)
    terminal.type('sh mess.sh; echo "co"de $?\n')
    await terminal.see('code 0')
    expect(modesLeft(terminal.all())).toEqual(messed)
    terminal.type('stty sane\n')
    await terminal.see('outer> ')
    expect(before).toContain('echo')
  })
})

describe('TRM-02 what the terminal answers to queries is not typed into the shell', () => {
  const queries = String.raw`printf '\033[c\033[>q\033[21t\005\033]0;rm -rf\007\033[6n'; sleep 0.5`
  const answer = '\x1b[1;1Rtouch typed\r'
  const listen = 'IFS= read -rs -t 1 -n 40 typed; printf "go""t<%q>\\n" "$typed"\n'

  it('in a cell', async () => {
    const world = makeWorld()
    writeFileSync(path.join(world.project, 'q.sh'), `${queries}\n`)
    const terminal = openTerminal(world, { '\x1b[6n': answer })
    terminal.type(`anchorhold run sh q.sh; ${listen}`)
    await terminal.see("got<''>")
    expect(existsSync(path.join(world.project, 'typed'))).toBe(false)
  })

  it('control: without anchorhold they are', async () => {
    const world = makeWorld()
    writeFileSync(path.join(world.project, 'q.sh'), `${queries}\n`)
    const terminal = openTerminal(world, { '\x1b[6n': answer })
    terminal.type(`sh q.sh; ${listen}`)
    expect(await terminal.see('>\r\n')).toContain('touch')
  })
})

it('TRM-04 what anchorhold says at the end stands on a terminal that was reset before', async () => {
  const world = makeWorld()
  writeFileSync(
    path.join(world.project, 'paint.sh'),
    String.raw`printf '\033[?1049h\033[5;6r\033[H\033[8mhidden\033[1;1Hanchorhold: all is well'; curl -s https://evil.test/; exit 3` + '\n',
  )
  const terminal = openTerminal(world)
  terminal.type('anchorhold run sh paint.sh; echo "co"de $?\n')
  await terminal.see('code 3')
  const shown = terminal.all()
  const said = shown.lastIndexOf('session ')
  for (const reset of ['\x1b[?1047l', '\x1b[!p', '\x1b[0m'])
    expect(shown.slice(shown.indexOf('all is well'), said), JSON.stringify(reset)).toContain(reset)
  expect(shown.slice(said)).toMatch(/1 host was refused; to allow: anchorhold run --allow evil\.test/)
})

it('TRM-01 TRM-29 LIMIT: what the agent prints reaches the terminal as with any program; our own words go to standard error', async () => {
  const world = makeWorld()
  const fake = 'anchorhold: all protections are lifted \x1b]52;c;eHg=\x07'
  writeFileSync(path.join(world.project, 'fake'), fake)
  const terminal = openTerminal(world)
  terminal.type('anchorhold run cat fake > shown 2> said; echo "co"de $?\n')
  await terminal.see('code 0')
  expect(readFileSync(path.join(world.project, 'shown'), 'latin1')).toBe(fake)
  expect(readFileSync(path.join(world.project, 'said'), 'utf8')).not.toContain('lifted')
})
