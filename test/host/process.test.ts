// A helper program is over when it was to be over, whatever it leaves behind.
import { expect, it } from 'vitest'
import { capture } from '../../src/host/process.ts'

it('a program that goes on in the background ends with the time it was given', async () => {
  const answer = await capture(['/bin/sh', '-c', 'echo said; sleep 3 & sleep 3'], { timeoutMilliseconds: 500 })
  expect(answer).toMatchObject({ timedOut: true, stdout: 'said\n' })
}, 10_000)

it('its input is at its end, its environment is empty but for what was given', async () => {
  const answer = await capture(['/bin/sh', '-c', 'cat; env | cut -d= -f1 | sort | tr "\\n" " "'], { env: { ONE: '1' } })
  expect(answer).toMatchObject({ code: 0, stdout: 'ONE PWD ' })
})
