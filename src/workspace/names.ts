// The two tables' common shape: a name that matters wherever it lies in a writable root. Data lives in protected-names.ts and hidden-names.ts.
// A glob is written as in .gitignore and compared without regard to case on every file system (attacks.md FS-08, CVE-2025-59944).

/**
 * `file`/`folder`/`either`: what must lie there to match.
 * How it is kept: `sealed` – read-only where it exists, quarantined where it appears; `judged` – what appears is read and stays when it is harmless.
 */
export interface ProtectedName {
  /** As in .gitignore: without a slash at any depth, with a leading slash at the root, `**` for any number of folders. */
  readonly glob: string
  readonly kind: 'file' | 'folder' | 'either'
  readonly keep: 'sealed' | 'judged'
  /** `repository`: only obeyed at the top of a repository (or of a writable root), as forges do. Default: at any depth. */
  readonly where?: 'repository'
  /** What on the host would run it, as the end of the sentence "it runs …". */
  readonly reason: string
}

export interface HiddenName {
  readonly glob: string
  readonly reason: string
}
