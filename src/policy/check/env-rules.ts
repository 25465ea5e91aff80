// Policy check: variables of the cell that hold a credential instead of a placeholder.
import type { CheckRule } from './types.ts'

export const envRules: readonly CheckRule[] = [
  {
    id: 'env-credential',
    severity: 'error',
    title: 'a credential written into the policy',
    source: 'attacks.md SEC-01; CWE-798',
    example: {
      has: 'env:\n  UPLOAD: AKIAQWERTYUIOP234567 # here\n',
      mended: 'env:\n  NODE_ENV: test\n',
    },
    find: ({ policy, seen }) =>
      policy.env
        .filter(({ name }) => seen?.literals?.has(name) === true)
        .map(({ name, origin }) => ({
          subject: name,
          origin,
          means:
            'the value stands in a file and in the cell, where the agent and everything it runs can read it; renew it where it came from.',
          instead: `secrets: [{ name: ${name}, from: store, hosts: [HOST] }] # the value: anchorhold secret set ${name}`,
        })),
  },
  {
    id: 'env-named-credential',
    severity: 'warning',
    title: 'a variable that sounds like a credential, handed to the cell as it is',
    source: 'attacks.md SEC-01; ATT&CK T1552.007',
    example: {
      has: 'env:\n  SERVICE_TOKEN: # here\n',
      mended: 'secrets:\n  - { name: SERVICE_TOKEN, hosts: [api.example.org] }\n',
    },
    find: ({ policy, seen }) =>
      policy.env
        .filter(({ name }) => seen?.namedCredentials?.has(name) === true && seen.literals?.has(name) !== true)
        .map(({ name, value, origin }) => ({
          subject: name,
          origin,
          means:
            value === undefined
              ? 'your own value is in the cell, where the agent can read it and send it to every host that is allowed.'
              : 'if that is a credential, the agent can read it and send it to every host that is allowed.',
          instead: `secrets: [{ name: ${name}, from: env, hosts: [HOST] }]`,
        })),
  },
]
