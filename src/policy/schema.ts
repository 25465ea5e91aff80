// Policy: the one schema of a policy file. Parsing, the reference page and the editors' JSON schema are all made from it; loaded only where a file is.
import * as z from 'zod'
import type { EngineChoice, MountMode, PermissionMode, WorkspaceMode } from '../model/policy.ts'
import type { BudgetScope } from '../model/budget.ts'
import type { RequestsEntry } from './host-entry.ts'
import type { SecretPlace } from '../model/secret.ts'
import { limitTable, type LimitName } from './limits.ts'

/** A policy file as written: checked in shape, not yet in meaning (hosts, globs, sizes are read by layer-of-file.ts). */
export interface PolicyFile {
  readonly engine?: EngineChoice | undefined
  readonly agent?: string | undefined
  readonly image?: string | ImageEntry | undefined
  readonly workspace?: { readonly mode?: WorkspaceMode | undefined } | undefined
  readonly files?: FilesSection | undefined
  readonly env?: Readonly<Record<string, string | number | boolean | null>> | undefined
  readonly network?: NetworkSection | undefined
  readonly secrets?: readonly SecretEntry[] | undefined
  readonly permissions?: { readonly mode?: PermissionMode | undefined; readonly allow?: readonly string[] | undefined } | undefined
  readonly limits?: Readonly<Partial<Record<LimitName, string | number | undefined>>> | undefined
  readonly budget?: Readonly<Partial<Record<BudgetScope, string | number | readonly (string | number)[] | undefined>>> | undefined
}
export interface ImageEntry {
  readonly name?: string | undefined
  readonly base?: string | undefined
  readonly dockerfile?: string | undefined
  readonly context?: string | undefined
  readonly devcontainer?: string | undefined
  readonly network?: boolean | undefined
  readonly version?: string | undefined
}
export interface FilesSection {
  readonly mount?: readonly { readonly path: string; readonly mode?: MountMode | undefined }[] | undefined
  readonly hide?: readonly string[] | undefined
  readonly protect?: readonly string[] | undefined
  readonly unprotect?: readonly string[] | undefined
}
export interface NetworkSection {
  readonly allow?: readonly (string | HostEntry | HostMap)[] | undefined
  readonly deny?: readonly (string | HostEntry | HostMap)[] | undefined
  readonly routes?: Readonly<Record<string, string>> | undefined
  readonly passThrough?: readonly string[] | undefined
}
/** `deny` and `graphql` stand in `allow` only. */
export interface HostEntry extends RequestsEntry {
  readonly host: string
}
/** `HOST: {methods: …}`, one host. */
export type HostMap = Readonly<Record<string, RequestsEntry>>

export interface SecretEntry {
  readonly name: string
  readonly from?: SecretFrom | undefined
  readonly hosts: readonly string[]
  readonly where?: SecretPlace | readonly SecretPlace[] | undefined
  readonly header?: string | undefined
  readonly methods?: readonly string[] | undefined
  readonly paths?: readonly string[] | undefined
  readonly pass?: readonly string[] | undefined
  readonly websocket?: boolean | undefined
  readonly git?: GitEntry | undefined
  readonly aws?: AwsEntry | undefined
}
export interface GitEntry {
  readonly repository: string
  readonly username?: string | undefined
  readonly push?: readonly string[] | undefined
  readonly force?: boolean | undefined
  readonly tags?: boolean | undefined
  readonly remove?: boolean | undefined
}
export interface AwsEntry {
  readonly services?: readonly string[] | undefined
  readonly regions?: readonly string[] | undefined
}
export type SecretFrom =
  | 'env'
  | 'keyring'
  | 'store'
  | {
      readonly env?: string | undefined
      readonly file?: string | undefined
      readonly command?: readonly string[] | undefined
      readonly keyring?: string | undefined
      readonly account?: string | undefined
    }

const text = z.string().min(1)
const texts = z.array(text)
const host = { host: text.describe('`HOST`, `HOST:PORT`, `*.HOST` or `*.HOST:PORT`') }
const requests = {
  methods: texts.optional().describe('HTTP methods, exactly (`GET` does not stand for `HEAD`); without them: every method'),
  paths: texts.optional().describe('Path patterns: `/a/*/b`, `/a/**`, `/a?exact=query`; without them: every path'),
}
const reason = { reason: text.optional().describe('Shown wherever the rule decides') }
const allowed = {
  ...requests,
  graphql: z.literal('query').optional().describe('What is sent to `paths` must be GraphQL queries: no mutation, no subscription'),
  deny: z
    .array(z.union([text, z.strictObject(requests)]))
    .optional()
    .describe('Requests to this host that no rule can allow: path patterns, or mappings of methods and paths'),
  ...reason,
}
const denied = { ...requests, ...reason }
/** The short form, told from the long one by its key: a host has a dot, a colon or a star. */
const shortForm = <T extends z.ZodType>(entry: T): z.ZodRecord<z.ZodString, T> => z.record(z.string().regex(/[.:*]/, 'a host'), entry)
const allowEntry = z.union([text, z.strictObject({ ...host, ...allowed }), shortForm(z.strictObject(allowed))])
const denyEntry = z.union([text, z.strictObject({ ...host, ...denied }), shortForm(z.strictObject(denied))])
const limit = (name: LimitName): z.ZodOptional<z.ZodUnion<readonly [z.ZodString, z.ZodNumber]>> =>
  z.union([text, z.number()]).optional().describe(`Limit on the ${limitTable[name].what}, or \`none\``)

const amount = z.union([text, z.number()])
const budget = (whose: string): z.ZodOptional<z.ZodUnion<readonly [typeof amount, z.ZodArray<typeof amount>]>> =>
  z
    .union([amount, z.array(amount).min(1)])
    .optional()
    .describe(`For ${whose}: dollars, or \`200k tokens\`, or \`50 requests\`, or a list of these`)

const place = z.enum(['header', 'basic', 'query', 'body'])
const secret = z.strictObject({
  name: text.describe('Its name, and the variable that holds the placeholder inside'),
  from: z
    .union([
      z.enum(['env', 'keyring', 'store']),
      z.strictObject({
        env: text.optional().describe('A variable of your environment'),
        file: text.optional().describe('A file that only you can read: relative to this file, absolute, or `~/…`'),
        command: z.array(text).min(1).optional().describe('A program and its arguments, which prints the value; never a shell line'),
        keyring: text.optional().describe("The service under which the desktop's keyring has it"),
        account: text.optional().describe('The account in the keyring (default: the name)'),
      }),
    ])
    .optional()
    .describe('Where the value is: `env` (default: the variable of the same name), `store`, `keyring`, or one of the forms below'),
  hosts: z.array(text).min(1).describe('`HOST`, `HOST:PORT` or `*.HOST` that get the value; without a port: 443'),
  where: z
    .union([place, z.array(place).min(1)])
    .optional()
    .describe('Where a request may have it (default: `[header, basic]`)'),
  header: text.optional().describe('The one header field that may have it, such as `Private-Token`'),
  methods: texts.optional().describe('Only requests with these methods get it'),
  paths: texts.optional().describe('Only requests to these paths get it (`*` in a segment, `**` for any number of segments)'),
  pass: texts
    .optional()
    .describe('Header fields and query parameters of these hosts that look like credentials and may be sent all the same'),
  websocket: z.boolean().optional().describe('`true` lets WebSockets be opened to these hosts, whose content is not read'),
  git: z
    .strictObject({
      repository: text.describe('The one repository that the token is for: its path on the host, `me/project`'),
      username: text.optional().describe('The user name sent with it (default: `x-access-token`)'),
      push: texts.optional().describe('Branches that may be pushed to (`agent/*`, `**` over several segments); without it only fetching'),
      force: z.boolean().optional().describe('`true` allows pushes that throw commits away'),
      tags: z.boolean().optional().describe('`true` allows new tags'),
      remove: z.boolean().optional().describe('`true` allows branches and tags to be removed'),
    })
    .optional()
    .describe("For git over HTTPS: what may be done with the token, read from git's own requests"),
  aws: z
    .strictObject({
      services: texts.optional().describe('Only requests to these services (`s3`) are signed'),
      regions: texts.optional().describe('Only requests to these regions (`eu-central-1`) are signed'),
    })
    .optional()
    .describe(
      'An AWS key: `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY` and `AWS_SESSION_TOKEN` inside are placeholders, and what they sign is signed anew',
    ),
})

export const policySchema: z.ZodType<PolicyFile> = z
  .strictObject({
    engine: z.enum(['auto', 'bubblewrap', 'docker', 'podman', 'gvisor']).optional().describe('What builds the wall'),
    agent: text.optional().describe('The agent that `anchorhold run` starts when none is named'),
    image: z
      .union([
        text,
        z.strictObject({
          name: text.optional().describe('An image by its name, taken as it is; the short form is this alone'),
          base: text.optional().describe('What the shipped Dockerfile starts from (default: Debian slim, by its digest)'),
          dockerfile: text.optional().describe('A Dockerfile to build from: relative to this file, absolute, or `~/…`'),
          context: text.optional().describe('The folder whose files the Dockerfile may copy (default: none)'),
          devcontainer: text.optional().describe('A `devcontainer.json`, of which the image, the build and the features are taken'),
          network: z.boolean().optional().describe('`true` gives what a Dockerfile runs while it is built the network of the engine'),
          version: text.optional().describe('Version of the agent (default: the one that anchorhold was tested with)'),
        }),
      ])
      .optional()
      .describe('What engines with containers start from, to which the agent is added: docs/images.md'),
    workspace: z
      .strictObject({ mode: z.enum(['live', 'review', 'readonly']).optional().describe('How the cell sees the project') })
      .optional()
      .describe('The project as the cell sees it'),
    files: z
      .strictObject({
        mount: z
          .array(
            z.strictObject({ path: text.describe('Relative to this file, absolute, or `~/…`'), mode: z.enum(['ro', 'rw']).optional() }),
          )
          .optional()
          .describe('Further folders and files of the host; `ro` unless said otherwise'),
        hide: texts.optional().describe('Globs of paths whose content the cell must not see'),
        protect: texts.optional().describe('Globs of paths that the cell must not write'),
        unprotect: texts.optional().describe('Built-in protections that this policy lifts, by their glob'),
      })
      .optional()
      .describe('Files beyond the project, and rules for files in it'),
    env: z
      .record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.null()]))
      .optional()
      .describe("Variables of the cell; without a value, the caller's own value"),
    network: z
      .strictObject({
        allow: z.array(allowEntry).optional().describe('Presets and hosts; without a port: 80 and 443'),
        deny: z
          .array(denyEntry)
          .optional()
          .describe('Hosts, or requests to them, that no other rule can allow; without a port: every port'),
        routes: z
          .record(z.string(), text)
          .optional()
          .describe(
            "`HOST[:PORT]: [http://]ADDRESS[:PORT]`; `http://`: TLS is ended, plain HTTP from there; in the user's own policy only",
          ),
        passThrough: texts
          .optional()
          .describe('Hosts whose TLS is never ended (pinned clients, client certificates); allows nothing; without a port: every port'),
      })
      .optional()
      .describe('Where the cell may connect to'),
    secrets: z.array(secret).optional().describe('Secrets that the gateway puts in for named hosts; the cell holds placeholders'),
    permissions: z
      .strictObject({
        mode: z.enum(['ask', 'allow-listed', 'auto']).optional().describe('When the agent asks before it acts'),
        allow: texts.optional().describe('Tool patterns that pass without a question in `allow-listed`'),
      })
      .optional()
      .describe("The agent's own prompts"),
    limits: z
      .strictObject({
        memory: limit('memory'),
        processes: limit('processes'),
        cpus: limit('cpus'),
        time: limit('time'),
        tmp: limit('tmp'),
        disk: limit('disk'),
        fileSize: limit('fileSize'),
        openFiles: limit('openFiles'),
      })
      .optional()
      .describe('What a run may use up'),
    budget: z
      .strictObject({
        session: budget('one session'),
        day: budget('this project in a day, by the local clock'),
        month: budget('you in a month, by the local clock, in all projects'),
      })
      .optional()
      .describe('What models may cost: docs/cost.md'),
  })
  .describe('A policy of anchorhold')

/** JSON schema (2020-12) for editors and the reference page. */
export function policyJsonSchema(): Record<string, unknown> {
  return { ...z.toJSONSchema(policySchema), title: 'anchorhold policy' }
}
