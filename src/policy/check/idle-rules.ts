// Policy check: lines that do nothing, so that a reader would believe in something that is not there.
import type { HostRule } from '../../model/policy.ts'
import { idleLimits } from '../idle-limits.ts'
import { isAboutRequests, originText, ruleText } from '../judge.ts'
import { contains, covered } from '../narrow.ts'
import { overlap, passText, sharePorts } from '../pass-through.ts'
import type { CheckRule, Hit } from './types.ts'
import { writtenAllows } from './written.ts'

export const idleRules: readonly CheckRule[] = [
  {
    id: 'idle-limits',
    severity: 'warning',
    title: 'methods or paths that hold nothing back',
    source: 'docs/rules.md',
    example: {
      has: 'network:\n  allow:\n    - { host: "api.example.org:443", methods: [GET] } # here\n    - api.example.org:443\n',
      mended: 'network:\n  allow:\n    - { host: "api.example.org:443", methods: [GET] }\n',
    },
    find: ({ policy }) =>
      idleLimits(policy.network.rules)
        .filter(([rule]) => isUsers(rule))
        .map(([rule, whole]) => ({
          subject: ruleText(rule),
          origin: rule.origin,
          means: `${ruleText(whole)} (${originText(whole.origin)}) allows the host as a whole, and allows add up.`,
          instead: `take out ${ruleText(whole)} (${originText(whole.origin)})`,
        })),
  },
  {
    id: 'denied-allow',
    severity: 'warning',
    title: 'an allow that never matches, because a deny covers it',
    source: 'docs/policy.md',
    example: {
      has: 'network:\n  allow:\n    - api.example.org:443 # here\n  deny:\n    - "*.example.org"\n',
      mended: 'network:\n  allow:\n    - api.example.org:443\n  deny:\n    - api.example.org:80\n',
    },
    find: ({ policy }) => {
      const denies = policy.network.rules.filter((rule) => rule.effect === 'deny' && !isAboutRequests(rule))
      return writtenAllows(policy).flatMap((rule): readonly Hit[] => {
        const deny = denies.find((each) => contains(each.pattern, rule.pattern) && allPorts(each, rule))
        if (deny === undefined) return []
        return [
          {
            subject: ruleText(rule),
            origin: rule.origin,
            means: `the deny ${ruleText(deny)} (${originText(deny.origin)}) beats it, whatever the order.`,
            instead: `take out this line, or the deny of ${originText(deny.origin)}`,
          },
        ]
      })
    },
  },
  {
    id: 'repeated-allow',
    severity: 'note',
    title: 'an allow that another one already gives',
    source: 'docs/policy.md',
    example: {
      has: 'network:\n  allow:\n    - api.example.org:443\n    - api.example.org:443 # here\n',
      mended: 'network:\n  allow:\n    - api.example.org:443\n',
    },
    find: ({ policy }) => {
      const rules = writtenAllows(policy)
      const idle = new Set(idleLimits(policy.network.rules).map(([rule]) => rule))
      return rules.flatMap((rule, index): readonly Hit[] => {
        if (idle.has(rule)) return []
        const twin = rules.find((other, at) => at !== index && covered(rule, [other]) && (!covered(other, [rule]) || at < index))
        if (twin === undefined) return []
        return [
          {
            subject: ruleText(rule),
            origin: rule.origin,
            means: `${ruleText(twin)} (${originText(twin.origin)}) gives all of it, so that taking this line out closes nothing.`,
            instead: 'take out one of the two lines',
          },
        ]
      })
    },
  },
  {
    id: 'idle-deny',
    severity: 'note',
    title: 'a deny that no allow needs',
    source: 'docs/policy.md',
    example: {
      has: 'network:\n  deny:\n    - ads.example.net # here\n',
      mended: 'network:\n  allow:\n    - "*.cdn.example.net:443"\n  deny:\n    - ads.cdn.example.net\n',
    },
    find: ({ policy: { network } }) => {
      const allows = network.rules.filter(({ effect }) => effect === 'allow')
      return network.rules.flatMap((rule): readonly Hit[] => {
        if (rule.effect !== 'deny' || !isUsers(rule)) return []
        if (allows.some((allow) => overlap(allow.pattern, rule.pattern) && sharePorts(allow.ports, rule.ports))) return []
        return [
          {
            subject: ruleText(rule),
            origin: rule.origin,
            means: 'nothing allows it, so that it is refused without this line; it only keeps flags and presets from opening it later.',
          },
        ]
      })
    },
  },
  {
    id: 'idle-pass-through',
    severity: 'note',
    title: 'a passThrough of a host that nothing allows',
    source: 'docs/tls.md',
    example: {
      has: 'network:\n  passThrough:\n    - pinned.example.org # here\n',
      mended: 'network:\n  allow:\n    - pinned.example.org:443\n  passThrough:\n    - pinned.example.org\n',
    },
    find: ({ policy: { network } }) =>
      (network.passThrough ?? []).flatMap((pass): readonly Hit[] => {
        const allowed = network.rules.some(
          (rule) => rule.effect === 'allow' && overlap(rule.pattern, pass.pattern) && sharePorts(rule.ports, pass.ports),
        )
        if (allowed) return []
        return [
          { subject: passText(pass), origin: pass.origin, means: 'a passThrough allows nothing by itself, and no rule allows this host.' },
        ]
      }),
  },
]

function isUsers({ origin }: HostRule): boolean {
  return origin.kind === 'user' || origin.kind === 'project' || origin.kind === 'flag'
}

function allPorts(deny: HostRule, { ports }: HostRule): boolean {
  if (deny.ports === 'all') return true
  const denied = deny.ports
  return ports !== 'all' && ports.every((port) => denied.includes(port))
}
