// Registries: the list. A new package manager is one file here and one line below; its code is loaded only when a policy names it.
import { Failure } from '../errors/failure.ts'
import type { Registry } from '../policy/presets.ts'
import { remembered } from './remembered.ts'

type Load = () => Promise<Pick<Registry, 'derive'>>

const files: Readonly<Record<string, Load>> = {
  npm: () => import('./npm.ts'),
  pnpm: () => import('./pnpm.ts'),
  yarn: () => import('./yarn.ts'),
  pip: () => import('./pip.ts'),
  uv: () => import('./uv.ts'),
  cargo: () => import('./cargo.ts'),
  go: () => import('./go.ts'),
  apt: () => import('./apt.ts'),
  maven: () => import('./maven.ts'),
}

export const registries: readonly Registry[] = Object.entries(files).map(([name, load]) => ({
  name,
  derive: async (context) =>
    remembered(name, context, async () => {
      const derived = await (await load()).derive(context)
      if (derived.hosts.length > 0 || derived.notes.length > 0) return derived
      throw new Failure('policy/no-registry', { name })
    }),
}))
