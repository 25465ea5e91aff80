// The three containers as a compose project, and as a development container on top of it. Pure.
import type { Service } from './services.ts'

/** JSON is YAML; a dollar is a variable to compose unless it stands twice. */
export function composeFile(services: readonly Service[], head: readonly string[], folder: string): string {
  const project = {
    services: Object.fromEntries(services.map((service) => [service.name, serviceOf(service, folder)])),
    volumes: { door: {} },
  }
  return `${head.map((line) => `# ${line}`.trimEnd()).join('\n')}\n${JSON.stringify(project, null, 2).replaceAll('$', '$$$$')}\n`
}

function serviceOf(service: Service, folder: string): Readonly<Record<string, unknown>> {
  const { name, sysctls, ulimits, memory, cpus, shmBytes, workdir, health, seccomp } = service
  return {
    image: service.image,
    build: { context: `./${service.build}` },
    entrypoint: service.entrypoint,
    command: service.command,
    user: service.user,
    network_mode: service.network,
    read_only: true,
    cap_drop: ['ALL'],
    ...(service.capAdd.length > 0 ? { cap_add: service.capAdd } : {}),
    security_opt: ['no-new-privileges:true', ...(seccomp === undefined ? [] : [`seccomp:${folder}/${seccomp}`])],
    ...(Object.keys(sysctls).length > 0 ? { sysctls } : {}),
    ipc: 'private',
    init: service.init,
    pids_limit: service.pids,
    ...(memory === undefined ? {} : { mem_limit: memory, memswap_limit: memory }),
    ...(cpus === undefined ? {} : { cpus }),
    ...(Object.keys(ulimits).length > 0 ? { ulimits } : {}),
    ...(shmBytes === undefined ? {} : { shm_size: shmBytes }),
    ...(service.tmpfs.length > 0 ? { tmpfs: service.tmpfs } : {}),
    volumes: [
      ...service.volumes.map((volume) => ({ type: 'volume', source: volume.name, target: volume.to })),
      ...service.binds.map(({ from, to, mode }) => ({ type: 'bind', source: from, target: to, read_only: mode === 'ro' })),
    ],
    environment: Object.fromEntries(service.environment.map(([variable, value]) => [variable, value ?? null])),
    ...(workdir === undefined ? {} : { working_dir: workdir }),
    ...(name === 'cell' ? { stdin_open: true, tty: true } : {}),
    ...(health === undefined ? {} : { healthcheck: { test: ['CMD', ...health], interval: '1s', timeout: '10s', retries: 60 } }),
    ...(service.after.length === 0
      ? {}
      : {
          depends_on: Object.fromEntries(
            service.after.map((other) => [
              other,
              { condition: other === 'gateway' && name === 'cell' ? 'service_healthy' : 'service_started' },
            ]),
          ),
        }),
    restart: 'no',
  }
}

/** `.devcontainer/devcontainer.json`: the cell stays, and an editor works in it. */
export function devcontainerFile(project: string): string {
  return `${JSON.stringify(
    {
      name: 'anchorhold',
      dockerComposeFile: '../compose.yaml',
      service: 'cell',
      workspaceFolder: project,
      overrideCommand: false,
      updateRemoteUserUID: false,
      shutdownAction: 'stopCompose',
    },
    null,
    2,
  )}\n`
}

/** What the cell runs until the editor goes. */
export const staying: readonly string[] = ['sleep', 'infinity']
