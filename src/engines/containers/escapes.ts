// Known ways out of a container, and the versions that closed them: data, for doctor. A flaw of a program that a cell never meets is not here.
/** `older('1.10.0', '1.9.2')` is false. What cannot be read as a number counts as older. */
export function older(version: string, lowest: string): boolean {
  const [parts, low] = [version, lowest].map((text) => text.split(/[.+~-]/).map((part) => Number.parseInt(part, 10)))
  for (const [index, wanted] of (low ?? []).entries()) {
    const part = parts?.[index] ?? 0
    if (Number.isNaN(part) || part < wanted) return true
    if (part > wanted) return false
  }
  return false
}

export type Mended = 'docker' | 'podman' | 'runc' | 'crun'

export interface Escape {
  /** CVE numbers: the source. */
  readonly flaw: string
  /** The first version of each series that has it no more, oldest series first; what is newer than the last never had it. */
  readonly mended: readonly [string, ...string[]]
}

const escapes: Readonly<Record<Mended, readonly Escape[]>> = {
  runc: [
    { flaw: 'CVE-2024-21626', mended: ['1.1.12'] },
    { flaw: 'CVE-2025-31133, CVE-2025-52565, CVE-2025-52881', mended: ['1.2.8', '1.3.3', '1.4.0'] },
  ],
  crun: [{ flaw: 'CVE-2025-24965', mended: ['1.20'] }],
  docker: [{ flaw: 'CVE-2024-23651, CVE-2024-23652, CVE-2024-23653 (while an image is built)', mended: ['24.0.9', '25.0.2'] }],
  podman: [{ flaw: 'CVE-2024-1753 (while an image is built)', mended: ['4.9.4', '5.0.1'] }],
}

/** Those that are open in this version, as its own project numbers it; distributions mend older ones without a new number. */
export function openEscapes(program: Mended, version: string): readonly Escape[] {
  return escapes[program].filter(({ mended }) =>
    older(version, mended.find((fix) => series(fix) === series(version)) ?? mended.at(-1) ?? ''),
  )
}

function series(version: string): string {
  return version.split('.', 2).join('.')
}
