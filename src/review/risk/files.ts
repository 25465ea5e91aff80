// Detectors for what an entry is: links out, devices, set-user-ID, executables, nested repositories.
import path from 'node:path'
import type { Side } from '../../model/change.ts'
import { isGitName } from '../git-part.ts'
import type { Detector } from './rule.ts'

/** Where a link leads, from the root; undefined where it stays inside. */
function leadsOut(at: string, target: string): string | undefined {
  if (path.isAbsolute(target)) return `to the absolute path ${target}`
  const end = path.posix.normalize(path.posix.join(path.posix.dirname(at), target))
  return end === '..' || end.startsWith('../') ? `out of the project, to ${target}` : undefined
}

const magic: readonly (readonly [string, string])[] = [
  ['\x7fELF', 'a program or library (ELF)'],
  ['MZ', 'a Windows program'],
  ['\xcf\xfa\xed\xfe', 'a macOS program'],
  ['\xfe\xed\xfa', 'a macOS program'],
  ['\xca\xfe\xba\xbe', 'Java or macOS code'],
  ['\0asm', 'WebAssembly'],
  ['PK\x03\x04', 'an archive (zip)'],
  ['\x1f\x8b', 'a compressed archive'],
  ['\xfd7zXZ', 'a compressed archive'],
  ['BZh', 'a compressed archive'],
  ['(\xb5/\xfd', 'a compressed archive'],
  ['7z\xbc\xaf', 'an archive (7z)'],
  ['!<arch>', 'a library or package'],
  ['BC\xc0\xde', 'LLVM code'],
]

export const fileDetectors: readonly Detector[] = [
  {
    id: 'link-out',
    kind: 'escapes',
    source: 'TRM-14; CVE-2026-12958',
    detect: ({ change }) => {
      if (change.after?.kind !== 'link') return []
      const out = leadsOut(change.path, change.after.target)
      return out === undefined ? [] : [{ reason: `a link that leads ${out}` }]
    },
  },
  {
    id: 'link-into-git',
    kind: 'runs',
    source: 'PER-07',
    detect: ({ change }) =>
      change.after?.kind === 'link' && change.after.target.split('/').some(isGitName)
        ? [{ reason: `with git: a link into git's own files (${change.after.target})` }]
        : [],
  },
  {
    id: 'special-file',
    kind: 'escapes',
    source: 'TRM-27',
    detect: ({ change: { after } }) =>
      after?.kind === 'device' || after?.kind === 'fifo' || after?.kind === 'socket'
        ? [{ reason: `a ${after.kind}, which is never applied: a program that opens it would hang or reach a device` }]
        : [],
  },
  {
    id: 'sparse-file',
    kind: 'escapes',
    source: 'TRM-27; lseek(2), SEEK_HOLE',
    detect: ({ change: { after } }) =>
      after?.kind === 'file' && after.sparse === true
        ? [{ reason: 'a file that is nearly all holes, which is never applied: whoever copies it without them fills the disk' }]
        : [],
  },
  {
    id: 'dropped',
    kind: 'escapes',
    source: 'TRM-26, FS-19',
    detect: ({ change }) => {
      const bits = (change.dropped ?? []).filter(
        (name) => name.startsWith('set-') || name.startsWith('security.') || name.startsWith('system.') || name.startsWith('trusted.'),
      )
      return bits.length === 0 ? [] : [{ reason: `asks for ${bits.join(', ')}, which is never applied` }]
    },
  },
  {
    id: 'executable',
    kind: 'runs',
    source: 'TRM-13',
    detect: ({ change, after }) => {
      const was = isExecutable(change.before)
      if (!isExecutable(change.after) || change.action === 'deleted') return []
      if (
        change.action === 'renamed' &&
        was &&
        change.before?.kind === 'file' &&
        change.after?.kind === 'file' &&
        change.before.hash === change.after.hash
      )
        return []
      if (change.action === 'mode' && was) return []
      const interpreter = /^#! *([^\n]{1,80})/.exec(after)?.[1]
      return [
        {
          reason: `when it is started: ${was ? 'a changed' : 'a new'} executable${interpreter === undefined ? '' : ` (${interpreter.trim()})`}`,
        },
      ]
    },
  },
  {
    id: 'opaque-content',
    kind: 'runs',
    source: 'TRM-13',
    detect: ({ change, after }) => {
      if (change.after?.kind !== 'file' || change.action === 'mode') return []
      const found = magic.find(([start]) => after.startsWith(start))
      return found === undefined ? [] : [{ reason: `when it is loaded or unpacked: ${found[1]}, which cannot be read here` }]
    },
  },
  {
    id: 'go-generate',
    kind: 'runs',
    source: 'PER-24; go help generate',
    names: ['*.go'],
    detect: ({ added }) =>
      added()
        .filter(({ text }) => /^\/\/go:generate\s|^\s*#cgo\s/.test(text))
        .slice(0, 5)
        .map(({ text, line }) => ({ reason: `with go generate or go build: ${text.trim()}`, line })),
  },
  {
    id: 'active-document',
    kind: 'runs',
    source: 'PER-30',
    names: ['*.svg', '*.html', '*.htm', '*.xhtml', '*.xml'],
    detect: ({ change, added }) => {
      if (!/\.svg$/i.test(change.path)) return []
      const hit = added().find(({ text }) => /<script|\son\w+\s*=|javascript:/i.test(text))
      return hit === undefined ? [] : [{ reason: 'when it is opened: a picture with a script', line: hit.line }]
    },
  },
  {
    id: 'bare-repository',
    kind: 'runs',
    source: 'CFG-22; CVE-2026-26268',
    names: ['HEAD', 'config'],
    detect: ({ change, after }) =>
      change.git === undefined &&
      ((/(?:^|\/)HEAD$/.test(change.path) && after.startsWith('ref: refs/')) ||
        (/(?:^|\/)config$/.test(change.path) && /^\s*\[core\]/m.test(after)))
        ? [{ reason: 'with git, in that folder: it makes the folder a repository of its own' }]
        : [],
  },
]

function isExecutable(side: Side | undefined): boolean {
  return side?.kind === 'file' && (side.mode & 0o111) !== 0
}
