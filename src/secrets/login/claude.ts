// Secrets, login: Claude Code's file, `~/.claude/.credentials.json`, its token endpoint and its locks (as of version 2.1.330).
import path from 'node:path'
import type { CanonicalHost } from '../../model/policy.ts'
import type { LoginFormat } from './format.ts'

/** Claude Code's public OAuth client. */
const clientId = '9d1c250a-e61b-44d9-88ed-5944d1962f5e'
const member = 'claudeAiOauth'

export const claudeLogin: LoginFormat = {
  title: 'Claude Code',
  again: 'claude, then /login',
  endpoint: { host: 'platform.claude.com' as CanonicalHost, port: 443 },
  read(content) {
    const { accessToken, refreshToken, expiresAt } = objectOf(objectOf(content)[member])
    if (typeof accessToken !== 'string' || accessToken === '') return undefined
    return {
      access: accessToken,
      ...(typeof refreshToken === 'string' && refreshToken !== '' ? { refresh: refreshToken } : {}),
      ...(typeof expiresAt === 'number' ? { expiresAt } : {}),
    }
  },
  request(content, refresh) {
    const { scopes } = objectOf(objectOf(content)[member])
    const scope = Array.isArray(scopes) ? scopes.filter((one) => typeof one === 'string').join(' ') : ''
    return {
      method: 'POST',
      path: '/v1/oauth/token',
      fields: { 'Content-Type': 'application/json', Accept: 'application/json' },
      body: JSON.stringify({
        grant_type: 'refresh_token',
        refresh_token: refresh,
        client_id: clientId,
        ...(scope === '' ? {} : { scope }),
      }),
    }
  },
  renewed(content, answer, now) {
    const { access_token, refresh_token, expires_in, scope } = objectOf(answer)
    if (typeof access_token !== 'string' || access_token === '' || typeof expires_in !== 'number') return undefined
    const before = objectOf(objectOf(content)[member])
    const login = {
      ...before,
      accessToken: access_token,
      refreshToken: typeof refresh_token === 'string' ? refresh_token : before['refreshToken'],
      expiresAt: now + expires_in * 1000,
      ...(typeof scope === 'string' ? { scopes: scope.split(' ').filter(Boolean) } : {}),
    }
    return { ...objectOf(content), [member]: login }
  },
  locks: (file) => [path.join(path.dirname(file), '.oauth_refresh.lock'), `${path.dirname(file)}.lock`],
}

function objectOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {}
}
