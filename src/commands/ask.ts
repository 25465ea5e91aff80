// One question on the terminal, answered by one letter and Enter. Used by apply-ask.ts. The end of input is an answer too: the caller's safe one.
import { createInterface } from 'node:readline'

export interface Asker extends Disposable {
  /** Shows lines, then the question; repeats it, with what the letters mean, until one of them is typed. */
  ask(question: string, letters: Readonly<Record<string, string>>, atEnd: string): Promise<string>
}

export function openAsker(input: NodeJS.ReadableStream, output: NodeJS.WritableStream): Asker {
  const reader = createInterface({ input, output, terminal: false })
  const lines: string[] = []
  const waiting: ((line: string | undefined) => void)[] = []
  let ended = false
  reader.on('line', (line) => {
    const next = waiting.shift()
    if (next === undefined) lines.push(line)
    else next(line)
  })
  reader.on('close', () => {
    ended = true
    for (const next of waiting.splice(0)) next(undefined)
  })
  // Ctrl-C is no answer: whoever asks has done nothing yet, and that is said.
  const stopped = (): void => {
    output.write('\nNothing was applied.\n')
    process.kill(process.pid, 'SIGINT')
  }
  process.once('SIGINT', stopped)
  const line = (): Promise<string | undefined> => {
    const next = lines.shift()
    if (next !== undefined || ended) return Promise.resolve(next)
    return new Promise((resolve) => waiting.push(resolve))
  }
  return {
    async ask(question, letters, atEnd) {
      for (;;) {
        output.write(`${question} [${Object.keys(letters).join(',')},?] `)
        const answer = await line()
        if (answer === undefined) {
          output.write('\n')
          return atEnd
        }
        const letter = answer.trim().toLowerCase()
        if (Object.hasOwn(letters, letter)) return letter
        output.write(
          `${Object.entries(letters)
            .map(([key, meaning]) => `${key} - ${meaning}`)
            .join('\n')}\n`,
        )
      }
    },
    [Symbol.dispose]() {
      process.off('SIGINT', stopped)
      reader.close()
    },
  }
}
