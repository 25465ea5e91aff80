// Policy check: where the value of a secret can go.
import type { SecretRule } from '../../model/secret.ts'
import { openPlacesOf } from '../open-hosts.ts'
import { openKinds } from '../open-places.ts'
import { idleBindings, secretHostText } from '../secret-hosts.ts'
import type { CheckRule, Hit } from './types.ts'

/** Secrets that a person bound; the agent's own login is bound by anchorhold. */
function bound(secrets: readonly SecretRule[]): readonly SecretRule[] {
  return secrets.filter(({ origin }) => origin.kind !== 'preset' && origin.kind !== 'built-in')
}

/** A binding of the same secret, narrower by `more`. */
function binding({ name, hosts }: SecretRule, more: string, only?: string): string {
  return `- { name: ${name}, hosts: [${only ?? hosts.map((host) => `"${secretHostText(host)}"`).join(', ')}], ${more} }`
}

export const secretRules: readonly CheckRule[] = [
  {
    id: 'secret-star',
    severity: 'warning',
    title: 'a secret bound to a star',
    source: 'attacks.md SEC-09; ATT&CK T1584.001',
    example: {
      has: 'secrets:\n  - { name: API_TOKEN, hosts: ["*.example.org"] } # here\n',
      mended: 'secrets:\n  - { name: API_TOKEN, hosts: [api.example.org] }\n',
    },
    find: ({ policy }) =>
      bound(policy.secrets).flatMap((secret) =>
        secret.hosts.flatMap((host): readonly Hit[] =>
          host.pattern.kind === 'subdomains'
            ? [
                {
                  subject: `${secret.name} for ${secretHostText(host)}`,
                  origin: secret.origin,
                  means: `whichever name below ${host.pattern.suffix} the agent picks is sent the value: a forgotten one that somebody took over, too.`,
                  instead: binding(secret, `where: [${secret.where.join(', ')}]`, `NAME.${host.pattern.suffix}`),
                },
              ]
            : [],
        ),
      ),
  },
  {
    id: 'secret-open-host',
    severity: 'warning',
    title: 'a secret for a host with content of strangers, and for every request to it',
    source: 'attacks.md PRX-54; ATT&CK T1567',
    example: {
      has: 'secrets:\n  - { name: STORE_TOKEN, hosts: [storage.googleapis.com] } # here\n',
      mended: 'secrets:\n  - { name: STORE_TOKEN, hosts: [storage.googleapis.com], paths: ["/my-bucket/**"] }\n',
    },
    find: ({ policy }) =>
      bound(policy.secrets).flatMap((secret) =>
        secret.hosts.flatMap((host): readonly Hit[] => {
          const [place] = openPlacesOf(host.pattern)
          if (place === undefined || secret.paths !== undefined || secret.git !== undefined || secret.aws !== undefined) return []
          return [
            {
              subject: `${secret.name} for ${secretHostText(host)}`,
              origin: secret.origin,
              means: `the agent acts there as you, with everything the value may do; ${openKinds[place.kind].means}.`,
              instead: binding(secret, 'methods: [GET, HEAD], paths: ["/YOUR/OWN/**"]'),
            },
          ]
        }),
      ),
  },
  {
    id: 'secret-anywhere',
    severity: 'warning',
    title: 'a secret in the query or body of any path',
    source: 'attacks.md SEC-10; CWE-598',
    example: {
      has: 'secrets:\n  - { name: FORM_KEY, hosts: [api.example.org], where: [query] } # here\n',
      mended: 'secrets:\n  - { name: FORM_KEY, hosts: [api.example.org], where: [query], paths: ["/v1/lookup"] }\n',
    },
    find: ({ policy }) =>
      bound(policy.secrets)
        .filter(
          ({ where, paths, aws }) =>
            paths === undefined && aws === undefined && where.some((place) => place === 'query' || place === 'body'),
        )
        .map((secret) => ({
          subject: secret.name,
          origin: secret.origin,
          means: 'in a query or body the value can be put where the host keeps or shows it: a comment, a search, a log that others read.',
          instead: binding(secret, `where: [${secret.where.join(', ')}], paths: ["/THE/ONE/PATH"]`),
        })),
  },
  {
    id: 'secret-websocket',
    severity: 'note',
    title: 'a secret for WebSockets, whose content is not read',
    source: 'docs/secrets.md',
    example: {
      has: 'secrets:\n  - { name: WS_TOKEN, hosts: [api.example.org], websocket: true } # here\n',
      mended: 'secrets:\n  - { name: WS_TOKEN, hosts: [api.example.org] }\n',
    },
    find: ({ policy }) =>
      bound(policy.secrets)
        .filter(({ websocket }) => websocket === true)
        .map(({ name, origin }) => ({
          subject: name,
          origin,
          means: 'once a WebSocket is open, nothing in it is looked at, and an echoed value is not taken out.',
        })),
  },
  {
    id: 'wide-push',
    severity: 'warning',
    title: 'pushes to every branch, or ones that throw commits away',
    source: 'docs/secrets.md; ATT&CK T1195.002',
    example: {
      has: 'secrets:\n  - { name: GIT_TOKEN, hosts: [git.example.org], git: { repository: me/project, push: ["**"] } } # here\n',
      mended: 'secrets:\n  - { name: GIT_TOKEN, hosts: [git.example.org], git: { repository: me/project, push: ["agent/*"] } }\n',
    },
    find: ({ policy }) =>
      bound(policy.secrets).flatMap(({ name, git, hosts, origin }): readonly Hit[] => {
        const push = git?.push
        const every =
          push?.branches.some((branch) => branch === '*' || branch === '**' || branch === 'main' || branch === 'master') === true
        if (git === undefined || push === undefined || (!every && !push.force && !push.remove)) return []
        const what = [
          every ? 'the agent can write the branches that others build from' : '',
          push.force || push.remove ? 'commits can be thrown away' : '',
        ]
        return [
          {
            subject: `${name} (${git.repository})`,
            origin,
            means: `${what.filter(Boolean).join(', and ')}.`,
            instead: `- { name: ${name}, hosts: [${hosts.map((host) => `"${secretHostText(host)}"`).join(', ')}], git: { repository: ${git.repository}, push: ["agent/*"] } }`,
          },
        ]
      }),
  },
  {
    id: 'idle-secret',
    severity: 'warning',
    title: 'a secret that is never put in, because a deny covers its host',
    source: 'docs/secrets.md',
    example: {
      has: 'secrets:\n  - { name: API_TOKEN, hosts: [api.example.org] } # here\nnetwork:\n  deny:\n    - "*.example.org"\n',
      mended: 'secrets:\n  - { name: API_TOKEN, hosts: [api.example.org] }\n',
    },
    find: ({ policy }) =>
      idleBindings(policy)
        .filter(({ secret }) => bound([secret]).length > 0)
        .map(({ secret, place, reason }) => ({ subject: `${secret.name} for ${place}`, origin: secret.origin, means: `${reason}.` })),
  },
]
