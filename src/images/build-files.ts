// A Dockerfile of ours as a file, with an empty folder for a build that copies nothing. Podman cannot read one from a pipe of Node's.
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'

export interface BuildFiles extends AsyncDisposable {
  readonly dockerfile: string
  readonly empty: string
}

export async function buildFiles(text: string): Promise<BuildFiles> {
  const folder = await mkdtemp(path.join(tmpdir(), 'anchorhold-image-'))
  const files = { dockerfile: path.join(folder, 'Dockerfile'), empty: path.join(folder, 'empty') }
  await writeFile(files.dockerfile, text)
  await mkdir(files.empty)
  return { ...files, [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }) }
}
