// Gateway, git: which of git's smart HTTP requests this is (gitprotocol-http), told from method, path and query alone. Pure.

export type GitRequest =
  | { readonly kind: 'advertise' | 'call'; readonly service: 'git-upload-pack' | 'git-receive-pack'; readonly repository: string }
  | { readonly kind: 'other' }

/** `path`: origin form with the query. The repository is the path before git's own part, without slashes around it and without `.git`. */
export function readGitRequest(method: string, path: string): GitRequest {
  const refs = /^\/([^?]+)\/info\/refs\?service=(git-upload-pack|git-receive-pack)$/.exec(path)
  if (refs !== null && method === 'GET') return { kind: 'advertise', service: serviceOf(refs[2]), repository: nameOf(refs[1]) }
  const call = /^\/([^?]+)\/(git-upload-pack|git-receive-pack)$/.exec(path)
  if (call !== null && method === 'POST') return { kind: 'call', service: serviceOf(call[2]), repository: nameOf(call[1]) }
  return { kind: 'other' }
}

function serviceOf(text: string | undefined): 'git-upload-pack' | 'git-receive-pack' {
  return text === 'git-receive-pack' ? 'git-receive-pack' : 'git-upload-pack'
}

function nameOf(path: string | undefined): string {
  return (path ?? '').replace(/\.git$/, '')
}
