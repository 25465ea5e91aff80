// What compile needs to know of this machine, looked up once per run.
import { existsSync, readFileSync } from 'node:fs'
import os from 'node:os'
import type { EngineFacts } from '../../model/engine.ts'
import { nativePath } from '../../host/paths.ts'
import { systemPath } from '../../host/process.ts'
import { findGroupParents } from './cgroup.ts'

/** The system's bubblewrap, or undefined; never one from a project or the caller's PATH (attacks.md PER-31). */
export function findBubblewrap(): string | undefined {
  return systemPath
    .split(':')
    .map((folder) => `${folder}/bwrap`)
    .find((file) => existsSync(file))
}

/** `group…` are '' where the caller can't make control groups with that controller. */
export function lookUpFacts(): EngineFacts {
  const groups = findGroupParents()
  return {
    enter: nativePath('anchorhold-enter'),
    bwrap: findBubblewrap() ?? '/usr/bin/bwrap',
    arch: process.arch === 'arm64' ? 'aarch64' : 'x86_64',
    coreHandler: handsCoresToProgram(),
    root: process.getuid?.() === 0,
    processors: os.availableParallelism(),
    groupMemory: groups.memory ?? '',
    groupPids: groups.pids ?? '',
    groupCpu: groups.cpu ?? '',
  }
}

/** Whether a crash starts a program of the host, or talks to one (core(5)): Ubuntu's apport, systemd-coredump. */
function handsCoresToProgram(): boolean {
  const file = '/proc/sys/kernel/core_pattern'
  return existsSync(file) && /^[|@]/.test(readFileSync(file, 'utf8'))
}
