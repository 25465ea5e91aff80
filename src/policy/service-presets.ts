// Policy: presets of services, as data: each host with the reason why it is in. Port 443 only; a wildcard is never in a preset.

export interface ServiceHost {
  readonly host: string
  readonly reason: string
}

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
}
