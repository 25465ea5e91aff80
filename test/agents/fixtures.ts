// Installations as the version managers and installers lay them out, made of real files; the programs are tiny ELF copies.
import { copyFileSync, mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync, chmodSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'

export interface Machine extends Disposable {
  readonly root: string
  readonly home: string
  /** Puts a file with its folders there. */
  file(at: string, content: string, mode?: number): string
  /** Puts a real native program there. */
  elf(at: string): string
  link(at: string, target: string): void
  /** An npm package with the program in place (`linked`), as a stub with a platform package (`stub`), or as a script. */
  npmPackage(nodeModules: string, version: string, kind: 'linked' | 'stub' | 'script'): string
}

export function machine(): Machine {
  const root = realpathSync(mkdtempSync(path.join(tmpdir(), 'agents-')))
  const home = path.join(root, 'home')
  mkdirSync(home)
  const file = (at: string, content: string, mode = 0o644): string => {
    const full = path.join(root, at)
    mkdirSync(path.dirname(full), { recursive: true })
    writeFileSync(full, content)
    chmodSync(full, mode)
    return full
  }
  const elf = (at: string): string => {
    const full = path.join(root, at)
    mkdirSync(path.dirname(full), { recursive: true })
    copyFileSync('/usr/bin/true', full)
    chmodSync(full, 0o755)
    return full
  }
  const link = (at: string, target: string): void => {
    const full = path.join(root, at)
    mkdirSync(path.dirname(full), { recursive: true })
    symlinkSync(target, full)
  }
  const npmPackage = (nodeModules: string, version: string, kind: 'linked' | 'stub' | 'script'): string => {
    const at = `${nodeModules}/@anthropic-ai/claude-code`
    file(`${at}/package.json`, JSON.stringify({ name: '@anthropic-ai/claude-code', version }))
    if (kind === 'script') file(`${at}/cli.js`, '#!/usr/bin/env node\n', 0o755)
    if (kind === 'linked') elf(`${at}/bin/claude.exe`)
    if (kind === 'stub') {
      file(`${at}/bin/claude.exe`, 'echo "native binary not installed"\n', 0o755)
      const platform = `${at}-linux-${process.arch}`
      file(`${platform}/package.json`, JSON.stringify({ name: `@anthropic-ai/claude-code-linux-${process.arch}`, version }))
      elf(`${platform}/claude`)
    }
    return path.join(root, at)
  }
  return { root, home, file, elf, link, npmPackage, [Symbol.dispose]: () => rmSync(root, { recursive: true, force: true }) }
}
