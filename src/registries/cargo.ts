// Registries: cargo. Asked offline for a crate it names the index it would contact; the index's own config.json says where the crates are.
import { readFile, readdir } from 'node:fs/promises'
import path from 'node:path'
import type { Derived, FoundHost, RegistryContext } from '../policy/presets.ts'
import { ask, deadProxy, hostOfUrl, uniqueHosts, unclear, type Manager } from './ask.ts'

const manager: Manager = { preset: 'cargo', program: 'cargo', variables: /^CARGO_\w+$/ }
const question = ['info', 'libc'] as const

export async function derive(context: RegistryContext): Promise<Derived> {
  const home = context.hostEnv['CARGO_HOME'] ?? path.join(context.hostHome, '.cargo')
  // An empty CARGO_HOME would forget the user's set-up; a registry name that is never cached makes it ask the index in every case.
  const unreachable = { CARGO_HTTP_PROXY: deadProxy, CARGO_NET_RETRY: '0', CARGO_NET_OFFLINE: 'false' }
  const [refused, config] = await Promise.all([ask(manager, ['search', '--limit', '1', 'libc'], context, unreachable), settings(context)])
  const answer = /https?:\/\/\S+\/config\.json/.test(refused.stderr) ? refused : await ask(manager, question, context, unreachable)
  const urls = answer.stderr.match(/https?:\/\/[^\s`'"]+/g) ?? []
  const index = uniqueHosts([
    ...urls.map((url) => hostOfUrl(url, 'cargo info')),
    ...config.map((url) => hostOfUrl(url, 'cargo config get')),
  ])
  if (index.length === 0) throw unclear(manager, question, answer.stderr.trim().split('\n').at(-1) ?? '')
  let downloads = await cachedDownloads(home, index)
  if (downloads.length === 0) {
    await ask(manager, question, context)
    downloads = await cachedDownloads(home, index)
  }
  const notes = downloads.length > 0 ? [] : ['the index could not be asked where its crates are; name that host if it is another one']
  return { hosts: uniqueHosts([...index, ...downloads]), notes }
}

/** Registries and source replacements of the user's own configuration (an unstable command; without it only the effective index is known). */
async function settings(context: RegistryContext): Promise<readonly string[]> {
  const answer = await ask(manager, ['-Zunstable-options', 'config', 'get', '--format', 'json-value'], context, { RUSTC_BOOTSTRAP: '1' })
  return answer.code === 0
    ? [...answer.stdout.matchAll(/"(?:index|registry)":\s*"((?:sparse\+)?https?:\/\/[^"]+)"/g)].map(([, url]) => url ?? '')
    : []
}

/** `dl` and `api` of every cached index that belongs to one of these hosts. */
async function cachedDownloads(home: string, index: readonly FoundHost[]): Promise<readonly FoundHost[]> {
  const root = path.join(home, 'registry', 'index')
  const names = await readdir(root).catch((error: unknown) => (error instanceof Error ? [] : Promise.reject(error)))
  const known = names.filter((name) => index.some(({ host }) => name.startsWith(`${host}-`)))
  const texts = await Promise.all(
    known.map((name) =>
      readFile(path.join(root, name, 'config.json'), 'utf8').catch((error: unknown) =>
        error instanceof Error ? '' : Promise.reject(error),
      ),
    ),
  )
  return uniqueHosts(
    texts.flatMap((text) =>
      [...text.matchAll(/"(dl|api)":\s*"(https?:\/\/[^"]+)"/g)].map(([, key, url]) =>
        hostOfUrl(url ?? '', `${key} in the index's config.json`),
      ),
    ),
  )
}
