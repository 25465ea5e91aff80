// What a scan of a folder reads: files of any size to their end, never through a link, nothing that is no file.
import { execFileSync } from 'node:child_process'
import { appendFileSync, mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { openScan } from '../../../src/secrets/scan/scan.ts'
import { scanPath } from '../../../src/secrets/scan/walk.ts'

const value = 'Zq8/r+Tt=uV0wXy1&zA2bC3'
const mebibyte = 1_048_576

function folder(): string {
  const made = realpathSync(mkdtempSync(path.join(tmpdir(), 'ah-scan-')))
  onTestFinished(() => rmSync(made, { recursive: true, force: true }))
  return made
}

test('a file that is longer than one read is searched to its end, over the border of two reads as well', async () => {
  const here = folder()
  const [end, border] = [path.join(here, 'end'), path.join(here, 'border')]
  writeFileSync(end, '')
  truncateSync(end, 70 * mebibyte)
  appendFileSync(end, `\n${value}`)
  writeFileSync(border, '')
  truncateSync(border, 32 * mebibyte - 10)
  appendFileSync(border, `${value}${'\0'.repeat(100)}`)
  const found = await scanPath(here, openScan([{ name: 'MINE', value }]))
  expect(found.unread).toEqual([])
  expect(found.findings.map(({ file, name, line }) => [path.basename(file), name, line])).toEqual([
    ['border', 'MINE', 1],
    ['end', 'MINE', 2],
  ])
})

test('links lead nowhere, pipes are not opened', async () => {
  const [here, away] = [folder(), folder()]
  writeFileSync(path.join(away, 'secret'), value)
  symlinkSync(path.join(away, 'secret'), path.join(here, 'link'))
  symlinkSync(away, path.join(here, 'links'))
  mkdirSync(path.join(here, 'sub'))
  execFileSync('mkfifo', [path.join(here, 'sub', 'pipe')])
  const found = await scanPath(here, openScan([{ name: 'MINE', value }]))
  expect(found).toEqual({ findings: [], files: 0, bytes: 0, unread: [] })
})
