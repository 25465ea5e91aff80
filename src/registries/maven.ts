// Registries: maven. Its settings name mirrors and repositories; what it falls back to stands in the POM inside its own model-builder jar.
import { readdir, readFile, realpath } from 'node:fs/promises'
import path from 'node:path'
import type { Derived, FoundHost, RegistryContext } from '../policy/presets.ts'
import { askOrFail, hostOfUrl, uniqueHosts, unclear, type Manager } from './ask.ts'
import { readZipEntry } from './zip.ts'

const manager: Manager = { preset: 'maven', program: 'mvn', variables: /^(?:MAVEN_\w+|M2_HOME|JAVA_HOME)$/ }

export async function derive(context: RegistryContext): Promise<Derived> {
  const version = await askOrFail(manager, ['-B', '--version'], context)
  const home = /^Maven home: (.+)$/m.exec(version.replace(/\x1b\[[0-9;]*m/g, ''))?.[1]
  if (home === undefined) throw unclear(manager, ['--version'], 'it does not say where it is installed')
  const files = [path.join(context.hostHome, '.m2', 'settings.xml'), path.join(home, 'conf', 'settings.xml')]
  const settings = await Promise.all(files.map(async (file) => ({ file, xml: withoutComments(await textOrEmpty(file)) })))
  // Maven ships a mirror that only exists to be refused (plain HTTP); a blocked one is no registry.
  const written = settings.flatMap(({ file, xml }) =>
    urlsIn(
      xml.replace(/<mirror>(?:(?!<\/mirror>)[\s\S])*<blocked>\s*true[\s\S]*?<\/mirror>/g, ''),
      /<(mirror|repository|pluginRepository)>[\s\S]*?<\/\1>/g,
      file,
    ),
  )
  const replaced = settings.some(({ xml }) => /<mirrorOf>\s*(?:\*|central|external:\*)\s*<\/mirrorOf>/.test(xml))
  const hosts = uniqueHosts([...written, ...(replaced ? [] : await builtIn(home))])
  if (hosts.length === 0) throw unclear(manager, ['help:effective-settings'], 'its settings name no repository')
  return { hosts, notes: [] }
}

async function builtIn(home: string): Promise<readonly (FoundHost | undefined)[]> {
  const lib = path.join(home, 'lib')
  const jar = (await readdir(lib)).find((name) => /^maven-model-builder-.*\.jar$/.test(name))
  if (jar === undefined) return []
  const pom = readZipEntry(await readFile(await realpath(path.join(lib, jar))), /^org\/apache\/maven\/model\/pom-4\.[0-9.]+\.xml$/)
  return urlsIn(withoutComments(pom ?? ''), /<(repository|pluginRepository)>[\s\S]*?<\/\1>/g, "maven's built-in POM")
}

function urlsIn(xml: string, blocks: RegExp, from: string): readonly (FoundHost | undefined)[] {
  return [...xml.matchAll(blocks)].map(([block]) => hostOfUrl(/<url>\s*([^<\s]+)\s*<\/url>/.exec(block)?.[1] ?? '', from))
}

function withoutComments(xml: string): string {
  return xml.replace(/<!--[\s\S]*?-->/g, '')
}

async function textOrEmpty(file: string): Promise<string> {
  return readFile(file, 'utf8').catch((error: unknown) =>
    error instanceof Error && 'code' in error && error.code === 'ENOENT' ? '' : Promise.reject(error),
  )
}
