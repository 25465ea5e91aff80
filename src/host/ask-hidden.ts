// Asks for a line on the terminal without showing it. The terminal is as it was before, however it ends.
import type { ReadStream } from 'node:tty'

const [interrupt, endOfInput, backspace, erase] = ['\x03', '\x04', '\b', '\x7f']

/** The line, or undefined after Ctrl-C or an end of input. `input` must be a terminal. */
export function askHidden(
  question: string,
  input: ReadStream = process.stdin,
  output: NodeJS.WriteStream = process.stderr,
): Promise<string | undefined> {
  return new Promise((resolve) => {
    let line = ''
    const finish = (answer: string | undefined): void => {
      input.off('data', onData).off('end', onEnd)
      input.setRawMode(false)
      input.pause()
      output.write('\n')
      resolve(answer)
    }
    const onEnd = (): void => finish(undefined)
    const onData = (text: string): void => {
      for (const char of text) {
        if (char === '\r' || char === '\n') return finish(line)
        if (char === interrupt || (char === endOfInput && line === '')) return finish(undefined)
        line = char === backspace || char === erase ? line.slice(0, -1) : line + char
      }
    }
    // Before the question is seen: what is typed at once must not show either.
    input.setRawMode(true)
    output.write(question)
    input.setEncoding('utf8')
    input.on('data', onData).on('end', onEnd)
    input.resume()
  })
}
