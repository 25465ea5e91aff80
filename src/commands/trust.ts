// `anchorhold trust`: approves exactly this content of the project's policy, after showing what it widens; lists and revokes approvals.
import type { Command } from 'commander'
import { createInterface } from 'node:readline/promises'
import path from 'node:path'
import { Failure } from '../errors/failure.ts'
import { approve, isApproved, listApprovals, revoke } from '../policy/approval.ts'
import { isWithin } from '../host/paths.ts'
import type { DecidingFiles } from '../images/source.ts'
import { loadPolicy, projectPolicyName, projectWidenings, type LoadInput } from '../policy/load.ts'
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
    .summary("approve what the project's policy widens, and what its image is built from")
    .description(
      "Shows what the project's anchorhold.yaml allows beyond your own policy, and which files of the project the cell's image is built from, and approves exactly this content. A changed file needs a new approval.",
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
  const say = (facts: object | undefined, lines: readonly string[]): void =>
    printLines(json !== true ? lines : facts === undefined ? [] : [jsonLine(facts)])
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
    const others = (await listApprovals(input.stateDir)).filter((one) => one.file !== file && isWithin(one.file, input.project))
    for (const each of [file, ...others.map((one) => one.file)]) {
      const was = await revoke(input.stateDir, each)
      say({ file: each, revoked: was }, [was ? `Taken back: ${plain(each)}` : `It was not approved: ${plain(each)}`])
    }
    return
  }
  const found = await projectWidenings(input)
  if (found !== undefined) await trustPolicy(file, found, input.stateDir, { say, yes: yes === true })
  // What builds the image is known once the policy is approved.
  const image = await imageFilesOf(input)
  if (image !== undefined) await trustImage(image, input.stateDir, { say, yes: yes === true })
  else if (found === undefined) throw new Failure('policy/nothing-to-trust', { file })
}

interface Asking {
  /** `facts` undefined: for people alone. */
  readonly say: (facts: object | undefined, lines: readonly string[]) => void
  readonly yes: boolean
}

/** The files of the project that decide on the image, if the policy takes any. */
async function imageFilesOf(input: LoadInput): Promise<DecidingFiles | undefined> {
  const { image } = (await loadPolicy(input)).policy
  if (image === undefined || (image.source.kind !== 'dockerfile' && image.source.kind !== 'devcontainer')) return undefined
  const { resolveSource } = await import('../images/source.ts')
  const source = await resolveSource(image, input.project)
  if (source.kind === 'built') await source[Symbol.asyncDispose]()
  return source.files !== undefined && isWithin(source.files.file, input.project) ? source.files : undefined
}

async function trustImage({ file, digest }: DecidingFiles, stateDir: string, { say, yes }: Asking): Promise<void> {
  if (await isApproved(stateDir, file, digest))
    return say({ file, digest, approved: true }, [`${plain(file)} is approved with exactly this content, and all that it is built with.`])
  say(undefined, [
    `The cell's image is built from ${plain(file)}. What it runs while it is built is not behind the wall.`,
    `Read it, and what it copies, before you go on: sha-256 of all of it ${digest.slice(0, 12)}…`,
  ])
  if (!yes) await ask(file)
  await approve(stateDir, file, digest, new Date())
  say({ file, digest, approved: true }, [`Approved: sha-256 ${digest.slice(0, 12)}…. Take it back with: anchorhold trust --revoke`])
}

type Found = NonNullable<Awaited<ReturnType<typeof projectWidenings>>>

async function trustPolicy(file: string, { digest, widens }: Found, stateDir: string, { say, yes }: Asking): Promise<void> {
  if (widens.length === 0) return say({ file, approved: false, widens }, [`${plain(file)} only narrows your policy: it needs no approval.`])
  if (await isApproved(stateDir, file, digest))
    return say({ file, digest, approved: true, widens }, [`${plain(file)} is approved with exactly this content.`])
  say(undefined, [
    `${plain(file)} asks for more than you allow:`,
    ...widens.map(({ what, origin }) => `  line ${origin.line ?? 1}: ${plain(what)}`),
  ])
  if (!yes) await ask(file)
  await approve(stateDir, file, digest, new Date())
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
