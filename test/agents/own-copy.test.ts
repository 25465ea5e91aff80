import { existsSync, readdirSync } from 'node:fs'
import { expect, test } from 'vitest'
import { claudeDistribution } from '../../src/agents/claude.ts'
import { installCopy } from '../../src/agents/own-copy.ts'
import { machine, type Machine } from './fixtures.ts'

/** An npm of our own that "installs" by copying a prepared package, or fails as npm fails. */
function npm(host: Machine, script: string): { readonly hostEnv: Record<string, string>; readonly hostHome: string } {
  host.npmPackage('registry/node_modules', '2.1.330', 'stub')
  host.file(
    'bin/npm',
    `#!/bin/sh\nprintf '%s\\n' "$@" > "${host.root}/npm-args"\nwhile [ "$1" != --prefix ]; do shift; done\n${script}\n`,
    0o755,
  )
  return { hostEnv: { PATH: `${host.root}/bin:/usr/bin:/bin` }, hostHome: host.home }
}
const copies = (host: Machine) => `${host.home}/.local/share/anchorhold/agents/claude`

test('a copy is complete when it is there, and installed once', async () => {
  using host = machine()
  const where = npm(host, `echo once >> "${host.root}/calls"; cp -r "${host.root}/registry/node_modules" "$2/"`)
  const copy = await installCopy(claudeDistribution, 'Claude Code', where)
  expect(copy).toMatchObject({
    version: '2.1.330',
    how: "anchorhold's copy",
    path: `${copies(host)}/2.1.330/node_modules/@anthropic-ai/claude-code-linux-${process.arch}/claude`,
  })
  expect(await installCopy(claudeDistribution, 'Claude Code', where)).toEqual(copy)
  expect(readdirSync(copies(host))).toEqual(['2.1.330'])
})

test('two at once: both get the copy, nothing half is left', async () => {
  using host = machine()
  const where = npm(host, `sleep 0.1; cp -r "${host.root}/registry/node_modules" "$2/"`)
  const both = await Promise.all([
    installCopy(claudeDistribution, 'Claude Code', where),
    installCopy(claudeDistribution, 'Claude Code', where),
  ])
  expect(both[0]).toEqual(both[1])
  expect(readdirSync(copies(host))).toEqual(['2.1.330'])
})

test.each([
  ['npm fails', 'echo "npm error code E404" >&2; echo "npm error 404 Not Found" >&2; exit 1', /404 Not Found/],
  [
    'a package without a program for this machine',
    'at="$2"; mkdir "$at/node_modules/@anthropic-ai" -p; cp -r "${0%/bin/npm}/registry/node_modules/@anthropic-ai/claude-code" "$at/node_modules/@anthropic-ai/"',
    /no program/,
  ],
])('%s: said, and nothing is left behind', async (_name, script, reason) => {
  using host = machine()
  await expect(installCopy(claudeDistribution, 'Claude Code', npm(host, script))).rejects.toMatchObject({
    code: 'agent/install-failed',
    message: expect.stringMatching(reason) as string,
  })
  expect(readdirSync(copies(host))).toEqual([])
})

test('a version is three numbers: nothing else reaches npm', async () => {
  using host = machine()
  const where = npm(host, 'exit 0')
  for (const version of ['latest', '../../x', '1.2', '2.1.330 --foo', 'file:/tmp/x', '2.1.330/../..']) {
    await expect(installCopy(claudeDistribution, 'Claude Code', { ...where, version })).rejects.toMatchObject({ code: 'agent/bad-version' })
  }
  expect(existsSync(`${host.root}/npm-args`)).toBe(false)
})

test('npm is never taken from the project', async () => {
  using host = machine()
  const where = npm(host, 'exit 0')
  const hostEnv = { PATH: `${host.root}/bin` }
  await expect(installCopy(claudeDistribution, 'Claude Code', { ...where, hostEnv, project: `${host.root}/bin` })).rejects.toMatchObject({
    code: 'agent/npm-missing',
  })
})
