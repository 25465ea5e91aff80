// A real terminal (a pseudo terminal of script(1), an interactive shell outside) and a cell on it: job control, size, restoring.
import { spawn, execFileSync } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import path from 'node:path'
import { expect, test } from 'vitest'
import { makeScratch } from './support.ts'
import { buildFixture } from './fixtures/build.ts'

interface Terminal extends AsyncDisposable {
  /** Types a line. */
  type(text: string): void
  /** Resolves with all that was shown up to and with the text. */
  see(text: string): Promise<string>
}

function openTerminal(project: string): Terminal {
  const env = { PATH: '/usr/bin:/bin', TERM: 'xterm', PROJECT: project, HOME: project, SHELL: '/bin/bash' }
  const child = spawn('script', ['-qfc', 'PS1="outer> " exec /bin/bash --norc --noprofile -i', '/dev/null'], {
    env,
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  let shown = ''
  let arrived = Promise.withResolvers<void>()
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    shown += text
    arrived.resolve()
  })
  return {
    type: (text) => void child.stdin.write(text),
    see: async (text) => {
      const patience = setTimeout(
        () => arrived.reject(new Error(`not shown: ${JSON.stringify(text)} but ${JSON.stringify(shown)}`)),
        20_000,
      )
      try {
        while (!shown.includes(text)) {
          await arrived.promise
          arrived = Promise.withResolvers()
        }
      } finally {
        clearTimeout(patience)
      }
      const end = shown.indexOf(text) + text.length
      const seen = shown.slice(0, end)
      shown = shown.slice(end)
      return seen
    },
    [Symbol.asyncDispose]: async () => {
      const exited = new Promise((resolve) => child.once('exit', resolve))
      if (child.exitCode !== null || child.signalCode !== null) return
      child.kill('SIGKILL')
      await exited
    },
  }
}

const start = `'${process.execPath}' '${path.join(import.meta.dirname, 'fixtures/child.ts')}'`

test('an interactive shell inside has size, resize, Ctrl-C, Ctrl-Z, fg and its own exit code', async () => {
  using scratch = makeScratch()
  await using terminal = openTerminal(scratch.project)
  await terminal.see('outer> ')
  terminal.type('stty rows 33 cols 101; tty\n')
  const device = /\/dev\/pts\/\d+/.exec(await terminal.see('outer> '))?.[0] ?? ''
  terminal.type(`${start} -i inherit\n`)
  expect(await terminal.see('inside> ')).not.toMatch(/no job control|cannot set/)
  terminal.type('stty size\n')
  await terminal.see('33 101')
  execFileSync('stty', ['-F', device, 'rows', '40', 'cols', '77'])
  terminal.type('stty size\n')
  await terminal.see('40 77')
  await terminal.see('inside> ')
  // Said by the job itself: a Ctrl-C that meets bash between two jobs is lost outside as well.
  terminal.type('sh -c "echo re\'a\'dy; exec sleep 100"\n')
  await terminal.see('ready')
  terminal.type('\x03')
  await terminal.see('inside> ')
  terminal.type('echo "code" $?\n')
  await terminal.see('code 130')
  await terminal.see('inside> ')
  terminal.type('sh -c "echo re\'a\'dy; exec cat"\n')
  await terminal.see('ready')
  terminal.type('twice\n')
  await terminal.see('twice\r\ntwice')
  terminal.type('\x1a')
  await terminal.see('Stopped')
  await terminal.see('inside> ')
  terminal.type('fg\n')
  await terminal.see('exec cat"\r\n')
  terminal.type('again\n')
  await terminal.see('again\r\nagain')
  terminal.type('\x03')
  await terminal.see('inside> ')
  terminal.type('exit 5\n')
  await terminal.see('outer> ')
  terminal.type('echo "code" $?\n')
  await terminal.see('code 5')
})

test("Ctrl-Z gives the terminal back to the caller's shell, and fg to the command", async () => {
  using scratch = makeScratch()
  await using terminal = openTerminal(scratch.project)
  await terminal.see('outer> ')
  terminal.type(`${start} 'stty -echo; echo be"g"in; read x; echo "got" $x' inherit\n`)
  await terminal.see('begin')
  terminal.type('\x1a')
  await terminal.see('Stopped')
  await terminal.see('outer> ')
  terminal.type('stty -a | grep -oE " -?echo "\n')
  expect(await terminal.see('outer> ')).toMatch(/ echo /)
  terminal.type('fg\n')
  terminal.type('hello\n')
  await terminal.see('got hello')
  await terminal.see('outer> ')
})

test('whatever the command leaves of the terminal is put right, and answers to its questions are thrown away', async () => {
  using scratch = makeScratch()
  await using terminal = openTerminal(scratch.project)
  await terminal.see('outer> ')
  terminal.type(`${start} 'stty raw -echo; printf "\\033[?1049h\\033[?1000h\\033[?25l"; echo be"g"in; read -n 1; exit 3' inherit\n`)
  await terminal.see('begin')
  terminal.type('xecho typed-by-terminal\n')
  const shown = await terminal.see('outer> ')
  expect(shown).toContain('\x1b[?1000l')
  expect(shown).toContain('\x1b[?25h')
  terminal.type('echo "code" $?; stty -a | grep -oE " -?(icanon|echo) "\n')
  const after = await terminal.see('outer> ')
  expect(after).toContain('code 3')
  expect(after).toContain(' icanon ')
  expect(after).toContain(' echo ')
  expect(after).not.toMatch(/^typed-by-terminal/m)
})

test("nothing inside types into the caller's terminal", async () => {
  using scratch = makeScratch()
  mkdirSync(path.join(scratch.project, 'bin'))
  buildFixture('probe', scratch.project)
  await using terminal = openTerminal(scratch.project)
  await terminal.see('outer> ')
  terminal.type(`${start} './probe | grep -E "^tioc"' inherit\n`)
  const shown = await terminal.see('outer> ')
  for (const name of ['tiocsti', 'tiocsti-high-bits', 'tioclinux', 'tiocsetd']) expect(shown).toContain(`${name} 1`)
})
