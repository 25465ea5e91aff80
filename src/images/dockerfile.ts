// The Dockerfile that anchorhold ships and prints. Pure text: what is built is what `anchorhold image dockerfile` shows.
import type { Distribution } from '../model/agent.ts'

/** Debian 12 slim, for every processor it is made for. */
export const defaultBase = 'debian:bookworm-slim@sha256:96e378d7e6531ac9a15ad505478fcc2e69f371b10f5cdf87857c4b8188404716'

/** Where an agent's program lies in an image; the cell's argv[0]. */
export function programInImage(distribution: Pick<Distribution, 'program'>): string {
  return `/usr/local/bin/${distribution.program}`
}

export interface DockerfileInput {
  readonly base: string
  /** Whether the base gets the programs and the user that it lacks; an image that somebody else chose is left as it is. */
  readonly complete: boolean
  readonly agent?: { readonly distribution: Distribution; readonly version: string }
}

/**
 * The agent comes last, in a layer of its own: a new version rebuilds that one. The context is the folder of the agent's platform package, so
 * nothing else of the host can get into a layer; without an agent it is an empty folder.
 */
export function dockerfile({ base, complete, agent }: DockerfileInput): string {
  return `${[`FROM ${base}`, ...(complete ? [programs, user] : []), ...(agent === undefined ? [] : [layerOf(agent)])].join('\n\n')}\n`
}

const programs = `# What the base has already is not installed again, so that such a base needs no network.
USER 0
RUN set -eu; \\
    missing=; \\
    for pair in git:git rg:ripgrep; do \\
      command -v "\${pair%%:*}" >/dev/null || missing="$missing \${pair#*:}"; \\
    done; \\
    [ -s /etc/ssl/certs/ca-certificates.crt ] || missing="$missing ca-certificates"; \\
    if [ -n "$missing" ]; then \\
      apt-get update; \\
      DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends $missing; \\
      rm -rf /var/lib/apt/lists/* /var/cache/apt/*; \\
    fi`

const user = `# An ordinary user, where nobody has its number yet; a run uses the caller's own.
RUN grep -q '^[^:]*:[^:]*:1000:' /etc/passwd || { \\
      echo 'agent:x:1000:1000:agent:/home/agent:/bin/bash' >>/etc/passwd; \\
      echo 'agent:x:1000:' >>/etc/group; \\
      mkdir -p /home/agent; \\
      chown 1000:1000 /home/agent; \\
    }
USER 1000:1000
CMD ["/bin/bash"]`

function layerOf({ distribution, version }: NonNullable<DockerfileInput['agent']>): string {
  const program = programInImage(distribution)
  return [
    `# ${distribution.package} ${version}, from the npm package of the image's platform.`,
    `COPY ${distribution.platformProgram} ${program}`,
    // With a newer agent only this file is another one.
    `LABEL anchorhold.agent="${distribution.program}" anchorhold.version="${version}"`,
  ].join('\n')
}
