// What the cell trusts where the gateway ends TLS: the machine's bundle with the session's authority in it, over the places where programs look. Pure.
import type { Mount } from '../model/plan.ts'

/** Files of the session on the host, and the paths inside that they lie over. */
export interface Trust {
  /** PEM: the machine's authorities and the session's. */
  readonly bundle: { readonly file: string; readonly over: readonly string[] }
  /** A Java key store with the same; only where there is a Java. */
  readonly java?: { readonly file: string; readonly over: readonly string[] }
  /** Where programs that are told by a variable find the bundle inside; one of `bundle.over`. */
  readonly path: string
}

/**
 * Run-times that bring authorities of their own, or look elsewhere: Node and Bun, OpenSSL and Go, Python's requests and pip, curl, git, cargo,
 * Deno, the AWS tools, Nix builds, gRPC, Ruby's bundler, Elixir's hex, Yarn, Google Cloud.
 */
const variables = [
  'NODE_EXTRA_CA_CERTS',
  'SSL_CERT_FILE',
  'REQUESTS_CA_BUNDLE',
  'PIP_CERT',
  'CURL_CA_BUNDLE',
  'GIT_SSL_CAINFO',
  'CARGO_HTTP_CAINFO',
  'DENO_CERT',
  'AWS_CA_BUNDLE',
  'NIX_SSL_CERT_FILE',
  'GRPC_DEFAULT_SSL_ROOTS_FILE_PATH',
  'BUNDLE_SSL_CA_CERT',
  'HEX_CACERTS_PATH',
  'YARN_HTTPS_CA_FILE_PATH',
  'CLOUDSDK_CORE_CUSTOM_CA_CERTS_FILE',
] as const

export function trustEnv(trust: Trust): Readonly<Record<string, string>> {
  return Object.fromEntries(variables.map((name) => [name, trust.path]))
}

/** Read-only, over what the system's own mounts show. */
export function trustMounts(trust: Trust): readonly Mount[] {
  return [trust.bundle, ...(trust.java === undefined ? [] : [trust.java])].flatMap(({ file, over }) =>
    over.map((to): Mount => ({ kind: 'bind', from: file, to, mode: 'ro' })),
  )
}
