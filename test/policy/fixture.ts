// A home, a project and the folders around them, for tests that load policies from real files.
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import type { RunOptions } from '../../src/model/run-options.ts'
import { loadPolicy, type LoadedPolicy, type LoadInput } from '../../src/policy/load.ts'
import type { Registry } from '../../src/policy/presets.ts'

export interface Place extends Disposable {
  readonly root: string
  readonly project: string
  readonly configDir: string
  readonly input: LoadInput
  user(text: string | Uint8Array): string
  projectFile(text: string): string
  load(options?: Partial<RunOptions>, input?: Partial<LoadInput>): Promise<LoadedPolicy>
}

/** A registry whose answer is fixed, and which counts how often it was asked. */
export function fixedRegistry(name: string, host: string): Registry & { asked: number } {
  const registry = {
    name,
    asked: 0,
    derive: async () => ((registry.asked += 1), { hosts: [{ host, port: 443, from: 'a test' }], notes: [] }),
  }
  return registry
}

export function makePlace(): Place {
  const root = realpathSync(mkdtempSync(path.join(os.tmpdir(), 'anchorhold-policy-')))
  const [project, home] = [path.join(root, 'work', 'project'), path.join(root, 'home')]
  const configDir = path.join(home, '.config', 'anchorhold')
  for (const folder of [project, configDir, path.join(root, 'work', 'shared')]) mkdirSync(folder, { recursive: true, mode: 0o755 })
  const input: LoadInput = {
    options: { args: [] },
    project,
    agentPresets: [],
    registries: [fixedRegistry('npm', 'registry.company.test')],
    hostEnv: {},
    hostHome: home,
    configDir,
    stateDir: path.join(home, '.local', 'state', 'anchorhold'),
  }
  const write = (file: string, content: string | Uint8Array): string => {
    writeFileSync(file, content, { mode: 0o600 })
    return file
  }
  return {
    root,
    project,
    configDir,
    input,
    user: (text) => write(path.join(configDir, 'policy.yaml'), text),
    projectFile: (text) => write(path.join(project, 'anchorhold.yaml'), text),
    load: (options = {}, more = {}) => loadPolicy({ ...input, ...more, options: { args: [], ...options } }),
    [Symbol.dispose]: () => rmSync(root, { recursive: true, force: true }),
  }
}
