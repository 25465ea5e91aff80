// Policy: presets of services, as data: each host with the reason why it is in. Port 443 only; a wildcard is never in a preset.

export interface ServiceHost {
  readonly host: string
  /** Absent: the host as a whole. */
  readonly methods?: readonly string[]
  readonly paths?: readonly string[]
  readonly graphql?: 'query'
  readonly reason: string
}

const read = ['GET', 'HEAD'] as const

export const servicePresets: Readonly<Record<string, readonly ServiceHost[]>> = {
  // Non-essential traffic (statistics, error reports, updates) is switched off in the cell's environment, so its hosts are not here.
  claude: [
    { host: 'api.anthropic.com', reason: 'the Messages API' },
    { host: 'claude.ai', reason: 'login with a Claude account' },
    { host: 'platform.claude.com', reason: 'login with a Console account, and renewing a login' },
    { host: 'console.anthropic.com', reason: 'the same for older versions of Claude Code' },
  ],
  github: [
    { host: 'github.com', reason: 'git over HTTPS, and the site' },
    { host: 'api.github.com', reason: 'the API' },
    { host: 'codeload.github.com', reason: 'source archives' },
    { host: 'raw.githubusercontent.com', reason: 'single files' },
    { host: 'objects.githubusercontent.com', reason: 'release files and large objects' },
    { host: 'release-assets.githubusercontent.com', reason: 'release files' },
    { host: 'github-cloud.githubusercontent.com', reason: 'large objects (Git LFS)' },
    { host: 'uploads.github.com', reason: 'uploading release files' },
  ],
  // Nothing that changes anything there: no push, no issue, no comment, no gist. Large objects (Git LFS) are asked for by POST, and are not in.
  'github-read': [
    { host: 'api.github.com', methods: read, reason: 'reading with the API' },
    { host: 'api.github.com', methods: ['POST'], paths: ['/graphql'], graphql: 'query', reason: 'reading with GraphQL' },
    {
      host: 'github.com',
      methods: ['GET'],
      paths: ['/*/*/info/refs?service=git-upload-pack'],
      reason: 'git clone and fetch: what there is',
    },
    { host: 'github.com', methods: ['POST'], paths: ['/*/*/git-upload-pack'], reason: 'git clone and fetch: the objects' },
    { host: 'github.com', methods: read, paths: ['/*/*/archive/**', '/*/*/releases/download/**'], reason: 'archives and release files' },
    { host: 'codeload.github.com', methods: read, reason: 'source archives' },
    { host: 'raw.githubusercontent.com', methods: read, reason: 'single files' },
    { host: 'objects.githubusercontent.com', methods: read, reason: 'release files' },
    { host: 'release-assets.githubusercontent.com', methods: read, reason: 'release files' },
  ],
}
