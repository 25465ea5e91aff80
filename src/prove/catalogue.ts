// Proof: reads the catalogue, probes/*.yaml beside the program. Adding a probe is one entry there. Next: attempts.ts.
import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { parse } from 'yaml'
import { z } from 'zod'
import { Failure } from '../errors/failure.ts'
import { packageRoot } from '../host/paths.ts'
import { clients, probePlaces, promises, walls, type Probe } from '../model/proof.ts'
import { isControl } from './controls.ts'

const engineNames = ['bubblewrap', 'docker', 'podman', 'gvisor'] as const
const traits = [
  'terminal',
  'own-kernel',
  'limit-memory',
  'limit-processes',
  'limit-cpus',
  'limit-time',
  'limit-tmp',
  'limit-file-size',
  'limit-open-files',
] as const
const paths = z.array(z.string().min(1)).nonempty()
const witness = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('canary') }),
  z.strictObject({ kind: z.literal('listener') }),
  z.strictObject({ kind: z.literal('unsent') }),
  z.strictObject({ kind: z.literal('returned') }),
  z.strictObject({ kind: z.literal('shown'), mark: z.string() }),
  z.strictObject({ kind: z.literal('absent'), paths }),
  z.strictObject({ kind: z.literal('unchanged'), paths }),
  z.strictObject({ kind: z.literal('unplanted'), paths }),
  z.strictObject({ kind: z.literal('quiet'), paths }),
  z.strictObject({ kind: z.literal('answer') }),
  z.strictObject({ kind: z.literal('shows'), pattern: z.string() }),
])
const probe = z.strictObject({
  id: z.string().regex(/^[a-z0-9-]+$/),
  wall: z.enum(walls),
  says: z.string().regex(/^[A-Z].*\.$/s),
  promise: z.string().refine((id) => Object.hasOwn(promises, id), 'no such promise'),
  source: z.array(z.string().regex(/^[A-Z]+-\d\d$/)).nonempty(),
  set: z.enum(['quick', 'standard', 'full']).default('standard'),
  place: z.enum(probePlaces).default('project'),
  try: z.array(z.tuple([z.string()], z.string())).nonempty(),
  clients: z.array(z.enum(clients)).nonempty().optional(),
  witness,
  control: z.string().refine(isControl, 'no such control'),
  weakened: z.enum(['bare', 'namespaced', 'allowed', 'raw']),
  weakenedNeedsRoot: z.literal(true).optional(),
  engines: z.union([z.literal('all'), z.array(z.enum(engineNames)).nonempty()]).default('all'),
  needs: z.enum(traits).optional(),
  limit: z.union([z.string(), z.partialRecord(z.enum(engineNames), z.string())]).optional(),
})

/** Where the catalogue and what is run inside lie. */
export function probesFolder(): string {
  return path.join(packageRoot(), 'probes')
}

/** Every probe. Throws Failure('prove/catalogue') where an entry is not one. */
export function loadCatalogue(folder: string = probesFolder()): readonly Probe[] {
  const found = readdirSync(folder)
    .filter((name) => name.endsWith('.yaml'))
    .flatMap((name) => {
      const read = z.array(probe).safeParse(parse(readFileSync(path.join(folder, name), 'utf8')))
      if (!read.success) throw new Failure('prove/catalogue', { file: path.join(folder, name), reason: z.prettifyError(read.error) })
      return read.data as readonly Probe[]
    })
  const twice = found.find((one, at) => found.findIndex((other) => other.id === one.id) !== at)
  if (twice !== undefined) throw new Failure('prove/catalogue', { file: folder, reason: `two probes are called ${twice.id}` })
  return found
}
