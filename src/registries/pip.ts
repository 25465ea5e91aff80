// Registries: pip. Its help shows the index in effect (built in, file or variable), its list the further ones, the index where its files are.
import type { Derived, RegistryContext } from '../policy/presets.ts'
import { ask, askOrFail, findProgram, hostOfUrl, uniqueHosts, unclear, withoutLogin, type Manager } from './ask.ts'

const variables = /^(?:PIP_\w+|VIRTUAL_ENV)$/
const newer: Manager = { preset: 'pip', program: 'pip3', variables }
const older: Manager = { preset: 'pip', program: 'pip', variables }

export async function derive(context: RegistryContext): Promise<Derived> {
  const manager = await findProgram(newer, context).then(
    () => newer,
    () => older,
  )
  const wide = { COLUMNS: '4000', PIP_DISABLE_PIP_VERSION_CHECK: '1' }
  // The only question that reaches out: which links the index itself gives for pip's own package. Nothing is downloaded.
  const links = ask(manager, ['index', 'versions', 'pip', '-vv', '--retries', '0', '--timeout', '5'], context, wide)
  const [help, list, linked] = await Promise.all([
    askOrFail(manager, ['download', '--help'], context, wide),
    askOrFail(manager, ['config', 'list'], context, wide),
    links,
  ])
  const index = /--index-url[\s\S]*?\(default:?\s+(\S+?)\)/.exec(help)?.[1]
  if (index === undefined) throw unclear(manager, ['download', '--help'], 'its help names no index')
  const further = list.split('\n').filter((line) => /(?:extra-index-url|find-links)=/.test(line))
  const urls = further.flatMap((line) => line.match(/https?:\/\/[^\s'"\\]+/g) ?? [])
  const files = [...linked.stdout.matchAll(/Found link (https?:\/\/\S+)/g)].map(([, url]) => hostOfUrl(url ?? '', 'links of the index'))
  const notes = files.length > 0 ? [] : ['the index could not be asked where its files are; name that host if it is another one']
  return {
    hosts: uniqueHosts([
      hostOfUrl(index, `${manager.program} download --help`),
      ...urls.map((url) => hostOfUrl(url, `${manager.program} config list`)),
      ...files,
    ]),
    notes,
    env: pipEnvironment(list, index),
  }
}

/** pip inside has no set-up of its own: it is told of indexes that somebody set up, by the variables of its own manual. */
function pipEnvironment(list: string, index: string): Record<string, string> {
  const set = (name: string): string => new RegExp(`\\.${name}='([^']*)'`).exec(list)?.[1] ?? ''
  const further = set('extra-index-url')
    .split(/(?:\s|\\n)+/)
    .flatMap((url) => withoutLogin(url) ?? [])
  const own = set('index-url') === '' ? undefined : withoutLogin(index)
  return {
    ...(own === undefined ? {} : { PIP_INDEX_URL: own }),
    ...(further.length === 0 ? {} : { PIP_EXTRA_INDEX_URL: further.join(' ') }),
  }
}
