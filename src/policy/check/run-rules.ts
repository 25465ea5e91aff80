// Policy check: how a run goes: who is asked, who looks at the changes, what holds a run down, which project files count.
import { limitTable, showLimit, standardLimits, type LimitName } from '../limits.ts'
import { openPlacesOf } from '../open-hosts.ts'
import type { CheckInput, CheckRule, Hit } from './types.ts'
import { placeText, writtenAllows } from './written.ts'

/** Tool patterns without a bound. */
const everything = /^(?:\*|(?:Bash|Shell|run_shell_command|WebFetch)(?:\((?:\*|:\*|\*:\*|domain:\*)?\))?)$/i

/** Hosts with which nobody should be unasked. */
function widest({ policy }: CheckInput): readonly string[] {
  return writtenAllows(policy)
    .filter(({ pattern }) => pattern.kind === 'subdomains' || openPlacesOf(pattern).length > 0)
    .map(placeText)
}

export const runRules: readonly CheckRule[] = [
  {
    id: 'auto-open',
    severity: 'warning',
    title: 'no questions, and hosts that are wide open',
    source: 'ATT&CK T1567; OWASP LLM06',
    example: {
      has: 'permissions:\n  mode: auto # here\nnetwork:\n  allow:\n    - "*.example.org"\n',
      mended: 'permissions:\n  mode: auto\nnetwork:\n  allow:\n    - api.example.org\n',
    },
    find: (input) => {
      const hosts = widest(input)
      const origin = input.origins['permissions.mode']
      if (input.policy.permissions.mode !== 'auto' || hosts.length === 0 || origin === undefined) return []
      const names = hosts.length > 3 ? `${hosts.slice(0, 3).join(', ')} and ${hosts.length - 3} more` : hosts.join(', ')
      return [
        {
          subject: 'auto',
          origin,
          means: `whatever a text tells the agent is done without a question, and ${names} can take what it reads.`,
          instead: 'permissions: { mode: allow-listed }',
        },
      ]
    },
  },
  {
    id: 'auto-live',
    severity: 'note',
    title: 'no questions, and nobody looks at the changes',
    source: 'docs/review.md; OWASP LLM06',
    example: {
      has: 'permissions:\n  mode: auto # here\nworkspace: { mode: live }\n',
      mended: 'permissions:\n  mode: auto\nworkspace: { mode: review }\n',
    },
    find: ({ policy, origins }) => {
      const origin = origins['permissions.mode']
      if (policy.permissions.mode !== 'auto' || policy.workspace.mode !== 'live' || origin === undefined) return []
      return [
        {
          subject: 'auto, live',
          origin,
          means: 'the agent changes the project itself, unasked; what you build or run next is its work, unseen.',
          instead: 'workspace: { mode: review }',
        },
      ]
    },
  },
  {
    id: 'wide-tool',
    severity: 'warning',
    title: 'a tool that passes whatever it is asked to do',
    source: 'OWASP LLM06',
    example: {
      has: 'permissions:\n  mode: allow-listed\n  allow:\n    - Bash # here\n',
      mended: 'permissions:\n  mode: allow-listed\n  allow:\n    - Bash(git status:*)\n',
    },
    find: ({ policy, origins }) => {
      if (policy.permissions.mode !== 'allow-listed') return []
      return policy.permissions.allow.flatMap((tool): readonly Hit[] => {
        const origin = origins[`permissions.allow[${tool}]`]
        if (origin === undefined || !everything.test(tool.trim())) return []
        return [
          {
            subject: tool,
            origin,
            means: 'a list that lets every command pass is auto by another name.',
            instead: 'permissions: { mode: allow-listed, allow: ["Bash(git status:*)"] }',
          },
        ]
      })
    },
  },
  {
    id: 'no-limit',
    severity: 'warning',
    title: 'a standard limit that is lifted',
    source: 'attacks.md RES-01, RES-04; ATT&CK T1499',
    example: {
      has: 'limits:\n  processes: none # here\n',
      mended: 'limits:\n  processes: 8192\n',
    },
    find: ({ policy, origins }) =>
      (Object.keys(limitTable) as LimitName[]).flatMap((name): readonly Hit[] => {
        const origin = origins[`limits.${name}`]
        if (origin === undefined || origin.kind === 'built-in' || policy.limits[name] !== undefined) return []
        const standard = standardLimits[name]
        return [
          {
            subject: name,
            origin,
            severity: standard === undefined ? 'note' : 'warning',
            means: `a run may use up all of this machine (${limitTable[name].what}).`,
            instead: `limits: { ${name}: ${standard === undefined ? 'VALUE' : showLimit(name, standard)} }`,
          },
        ]
      }),
  },
  {
    id: 'project-not-approved',
    severity: 'warning',
    title: "a project's policy that widens and is not approved, or has changed since",
    source: 'attacks.md CFG-01, CFG-05',
    example: {
      has: 'network: # here\n  allow: [api.example.org]\n',
      mended: 'workspace: { mode: review }\n',
    },
    find: ({ seen }) => {
      const approval = seen?.approval
      if (approval === undefined) return []
      const what =
        approval.widens.length > 3
          ? `${approval.widens.slice(0, 3).join('; ')} and ${approval.widens.length - 3} more`
          : approval.widens.join('; ')
      return [
        {
          subject: approval.file,
          origin: { kind: 'project', source: approval.file, line: 1, column: 1 },
          means:
            approval.state === 'changed'
              ? `it has changed since you approved it, and no run starts before you have looked at it again: ${what}.`
              : `no run starts before you approve what it widens: ${what}.`,
          instead: 'anchorhold trust',
        },
      ]
    },
  },
]
