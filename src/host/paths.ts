// Where things live on the host: XDG folders, the package itself, its native helpers. Pure functions of the environment.
import { existsSync } from 'node:fs'
import path from 'node:path'

type Env = Readonly<Record<string, string | undefined>>

/** XDG base directory: the variable when it is absolute (the specification says to ignore others), else below home. */
function xdg(env: Env, variable: string, home: string, fallback: string): string {
  const value = env[variable]
  return path.join(value !== undefined && path.isAbsolute(value) ? value : path.join(home, fallback), 'anchorhold')
}

/** Sessions, trust, caches: `$XDG_STATE_HOME/anchorhold`. */
export function stateDir(env: Env, home: string): string {
  return xdg(env, 'XDG_STATE_HOME', home, '.local/state')
}

/** Agents' homes per project: `$XDG_DATA_HOME/anchorhold`. */
export function dataDir(env: Env, home: string): string {
  return xdg(env, 'XDG_DATA_HOME', home, '.local/share')
}

/** The user's policy: `$XDG_CONFIG_HOME/anchorhold`. */
export function configDir(env: Env, home: string): string {
  return xdg(env, 'XDG_CONFIG_HOME', home, '.config')
}

/** The package's own root: the nearest folder above this file that holds package.json (sources and bundle alike). */
export function packageRoot(): string {
  let folder = import.meta.dirname
  while (!existsSync(path.join(folder, 'package.json'))) {
    const parent = path.dirname(folder)
    if (parent === folder) throw new Error('anchorhold: package.json not found above its own code')
    folder = parent
  }
  return folder
}

export type NativeHelper =
  | 'anchorhold-cell'
  | 'anchorhold-enter'
  | 'anchorhold-hold'
  | 'anchorhold-init'
  | 'anchorhold-bridge'
  | 'anchorhold-lend'
  | 'anchorhold-scout'
  | 'anchorhold-upper'
  | 'anchorhold-probe'

/** Absolute path of a native helper, built into dist/native by scripts/build.sh. */
export function nativePath(helper: NativeHelper): string {
  return path.join(packageRoot(), 'dist', 'native', helper)
}

/** Whether a path is `outer` or lies below it, however both are spelled. Both absolute; links are the caller's matter. */
export function isWithin(inner: string, outer: string): boolean {
  const relative = path.relative(outer, inner)
  return relative === '' || (relative !== '..' && !relative.startsWith('../') && !path.isAbsolute(relative))
}
