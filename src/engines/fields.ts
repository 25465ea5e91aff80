// Covers and checks as the native programs read them (native/cell-cover.c, enter-checks.c). Pure.
import type { Cover, Preflight } from '../model/plan.ts'

export function coverFields(cover: Cover): readonly [kind: string, path: string, target: string] {
  switch (cover.kind) {
    case 'readonly':
      return ['r', cover.path, '']
    case 'empty':
      return [cover.what === 'file' ? 'f' : 'd', cover.path, '']
    case 'link':
      return ['l', cover.path, cover.target]
  }
}

export function checkFields(check: Preflight): readonly [kind: string, subject: string, detail: string] {
  switch (check.kind) {
    case 'unreadable':
    case 'unwritable':
    case 'readable':
      return [check.kind, check.path, '']
    case 'apart':
      return [check.kind, check.path, check.identity]
    case 'unreachable':
      return [check.kind, check.address, String(check.port)]
    case 'no-abstract-socket':
      return [check.kind, check.name, '']
    case 'resolver':
      return [check.kind, check.address, '']
    case 'unprivileged':
      return [check.kind, '', '']
  }
}
