// `anchorhold trust`: approves exactly this content of the project's policy, after showing what it widens; lists and revokes approvals.
import type { Command } from 'commander'
import { createInterface } from 'node:readline/promises'
import path from 'node:path'
import { Failure } from '../errors/failure.ts'
import { approve, isApproved, listApprovals, revoke } from '../policy/approval.ts'
import { projectPolicyName, projectWidenings } from '../policy/load.ts'
import { jsonLine } from '../report/json-line.ts'
import { printLines } from '../report/output.ts'
import { plain } from '../report/text.ts'
import { loadInput } from './policy-input.ts'

interface TrustFlags {
  readonly project?: string
  readonly policy?: string
  readonly list?: boolean
  readonly revoke?: boolean
  readonly yes?: boolean
  readonly json?: boolean
}

/** Adds `trust` to the program. */
export function register(program: Command): void {
  program
    .command('trust')
    .summary("approve what the project's policy widens")
    .description(
      "Shows what the project's anchorhold.yaml allows beyond your own policy, and approves exactly this content. A changed file needs a new approval.",
    )
    .option('--project <dir>', 'the project (default: this folder)')
    .option('--policy <file>', "a policy file instead of the user's own")
    .option('--list', 'list what was approved')
    .option('--revoke', "take this project's approval back")
    .option('--yes', 'approve without a question (needed where there is no terminal)')
    .option('--json', 'one JSON object for each line')
    .action(perform)
}

async function perform(flags: TrustFlags): Promise<void> {
  const { list, revoke: takeBack, yes, json, ...named } = flags
  const input = await loadInput(named)
  const say = (facts: object, lines: readonly string[]): void => printLines(json === true ? [jsonLine(facts)] : lines)
  if (list === true) {
    const approvals = await listApprovals(input.stateDir)
    if (json === true) return printLines(approvals.map(jsonLine))
    return printLines(
      approvals.length === 0
        ? ['Nothing was approved.']
        : approvals.map(({ file, digest, approvedAt }) => `${plain(file)}  sha-256 ${digest.slice(0, 12)}…  ${plain(approvedAt)}`),
    )
  }
  const file = path.join(input.project, projectPolicyName)
  if (takeBack === true) {
    const was = await revoke(input.stateDir, file)
    return say({ file, revoked: was }, [was ? `Taken back: ${plain(file)}` : `It was not approved: ${plain(file)}`])
  }
  const found = await projectWidenings(input)
  if (found === undefined) throw new Failure('policy/nothing-to-trust', { file })
  const { digest, widens } = found
  if (widens.length === 0) return say({ file, approved: false, widens }, [`${plain(file)} only narrows your policy: it needs no approval.`])
  if (await isApproved(input.stateDir, file, digest))
    return say({ file, digest, approved: true, widens }, [`${plain(file)} is approved with exactly this content.`])
  if (json !== true)
    printLines([
      `${plain(file)} asks for more than you allow:`,
      ...widens.map(({ what, origin }) => `  line ${origin.line ?? 1}: ${plain(what)}`),
    ])
  if (yes !== true) await ask(file)
  await approve(input.stateDir, file, digest, new Date())
  say({ file, digest, approved: true, widens }, [`Approved: sha-256 ${digest.slice(0, 12)}…. Take it back with: anchorhold trust --revoke`])
}

/** Asks on the terminal that the user sits at; without one there is nobody to ask. */
async function ask(file: string): Promise<void> {
  if (!process.stdin.isTTY || !process.stdout.isTTY) throw new Failure('policy/needs-terminal', { file })
  const terminal = createInterface({ input: process.stdin, output: process.stdout })
  try {
    const answer = await terminal.question('Approve exactly this content? [y/N] ')
    if (!/^y(?:es)?$/i.test(answer.trim())) throw new Failure('policy/not-approved', { file })
  } finally {
    terminal.close()
  }
}
