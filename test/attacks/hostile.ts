// A project that would love to run something on the host, and the canaries that tell whether it did. Shared by the cfg tests.
import { execFileSync } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import type { World } from '../support/anchorhold.ts'

export interface Hostile {
  /** What has fired so far, one word each; empties the list. */
  fired(): readonly string[]
  /** Folders with planted programs, for the front of PATH. */
  readonly plants: readonly string[]
  /** Environment that a hostile project would like its user to have. */
  readonly env: Readonly<Record<string, string>>
}

const programs = [
  'git',
  'node',
  'npm',
  'bwrap',
  'sh',
  'bash',
  'env',
  'readlink',
  'cc',
  'claude',
  'getent',
  'sudo',
  'ldconfig',
  'uname',
  'anchorhold-cell',
  'newuidmap',
  'id',
  'stty',
  'ip',
  'pip',
  'go',
  'cargo',
]

export function makeHostile({ home, project }: World): Hostile {
  const canary = path.join(home, 'canary')
  const fire = (word: string): string => `#!/bin/sh\necho ${word} >> ${canary}\n`
  const write = (name: string, text: string, mode = 0o644): void => {
    const file = path.join(project, name)
    mkdirSync(path.dirname(file), { recursive: true })
    writeFileSync(file, text, { mode })
    chmodSync(file, mode)
  }
  execFileSync('git', ['init', '-q', project], { env: { PATH: '/usr/bin:/bin', HOME: home } })
  write('evil.sh', fire('evil'), 0o755)
  const evil = path.join(project, 'evil.sh')
  const config = [
    `[core]\n\tfsmonitor = ${evil}\n\thooksPath = ${project}/hooks\n\tpager = ${evil}\n\teditor = ${evil}\n\tsshCommand = ${evil}\n\taskPass = ${evil}`,
    `[alias]\n\tstatus = !${evil}`,
    `[diff]\n\texternal = ${evil}`,
    `[filter "x"]\n\tclean = ${evil}\n\tsmudge = ${evil}\n\tprocess = ${evil}`,
    `[credential]\n\thelper = ${evil}`,
    `[include]\n\tpath = ../more`,
  ]
  write('.git/config', `${readFileSync(path.join(project, '.git/config'), 'utf8')}${config.join('\n')}\n`)
  write('more', `[core]\n\tfsmonitor = ${evil}\n`)
  write('.gitattributes', '* filter=x diff=x\n')
  for (const hook of ['pre-commit', 'post-checkout', 'post-index-change', 'fsmonitor-watchman']) {
    write(`.git/hooks/${hook}`, fire('hook'), 0o755)
    write(`hooks/${hook}`, fire('hook'), 0o755)
  }
  write('preload.cjs', `require('node:fs').appendFileSync(${JSON.stringify(canary)}, 'preload\\n')\n`)
  const preload = `--require=${path.join(project, 'preload.cjs')}`
  write('.env', `NODE_OPTIONS=${preload}\nANCHORHOLD_ENGINE=none\nPATH=${project}/bin\n`)
  write('.envrc', fire('envrc'), 0o755)
  write('.npmrc', `registry=http://127.0.0.1:9/\nnode-options=${preload}\nscript-shell=${evil}\nprefix=${project}\n`)
  write(
    'package.json',
    JSON.stringify({
      name: 'x',
      scripts: { preinstall: evil, prepare: evil, anchorhold: evil },
      anchorhold: { engine: 'none' },
      bin: evil,
    }),
  )
  write('node_modules/anchorhold/dist/cli.js', `require(${JSON.stringify(path.join(project, 'preload.cjs'))})\n`)
  write('.nvmrc', '0.0.1\n')
  write('mise.toml', `[hooks]\nenter = "${evil}"\n`)
  const folders = ['bin', 'node_modules/.bin', '.venv/bin'].map((name) => path.join(project, name))
  for (const name of programs)
    for (const folder of folders) write(path.relative(project, path.join(folder, name)), fire(`plant-${name}`), 0o755)
  for (const name of programs) write(name, fire(`plant-${name}`), 0o755)
  return {
    fired() {
      const words = existsSync(canary) ? readFileSync(canary, 'utf8').split('\n').filter(Boolean) : []
      writeFileSync(canary, '')
      return words
    },
    plants: folders,
    env: {
      NODE_OPTIONS: preload,
      NODE_PATH: path.join(project, 'node_modules'),
      BASH_ENV: evil,
      ENV: evil,
      GIT_EXTERNAL_DIFF: evil,
      PAGER: evil,
      EDITOR: evil,
      GIT_DIR: path.join(project, '.git'),
    },
  }
}
