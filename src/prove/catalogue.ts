// Proof: reads the catalogue, probes/*.yaml beside the program. Adding a probe is one entry there. Next: attempts.ts.
import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { parse } from 'yaml'
import { z } from 'zod'
import { Failure } from '../errors/failure.ts'
import { packageRoot } from '../host/paths.ts'
import { clients, promises, walls, type Probe } from '../model/proof.ts'
import { isControl } from './controls.ts'

const paths = z.array(z.string().min(1)).nonempty()
const witness = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('canary') }),
  z.strictObject({ kind: z.literal('listener') }),
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
  place: z.enum(['project', 'stand-in']).default('project'),
  try: z.array(z.tuple([z.string()], z.string())).nonempty(),
  clients: z.array(z.enum(clients)).nonempty().optional(),
  witness,
  control: z.string().refine(isControl, 'no such control'),
  weakened: z.enum(['bare', 'allowed']),
  weakenedNeedsRoot: z.literal(true).optional(),
  engines: z.union([z.literal('all'), z.array(z.enum(['bubblewrap', 'docker', 'podman', 'gvisor'])).nonempty()]).default('all'),
  limit: z.string().optional(),
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
