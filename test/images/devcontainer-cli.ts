// The devcontainer command line that comes with this clone, and the Node that runs it.
import path from 'node:path'

const modules = path.resolve(import.meta.dirname, '../../node_modules')

export const devcontainerCli: { readonly node: string; readonly program: string; readonly folder: string } = {
  node: process.execPath,
  program: path.join(modules, '@devcontainers/cli/devcontainer.js'),
  /** For a PATH. */
  folder: path.join(modules, '.bin'),
}
