// What doctor looks at on the machine itself: kernel, namespaces, limits, the package's own parts. Reads only; engines examine their own needs.
import { existsSync, readFileSync, statSync } from 'node:fs'
import { release } from 'node:os'
import path from 'node:path'
import type { Finding } from '../model/engine.ts'
import { nativePath, packageRoot, type NativeHelper } from './paths.ts'

/** Oldest kernel whose calls the wall needs: mount_setattr and open_tree of user namespaces (5.12), overlay and cgroup.kill (5.14). */
const kernelFloor = [5, 14] as const
const nodeFloor = 22
/** Watches that a project of some 50,000 folders needs. */
const watchesWanted = 65_536

/** Findings in the order in which they are worth mending. Never throws for what is missing. */
export function examineHost(input: { readonly stateDir: string }): readonly Finding[] {
  return [system(), node(), userNamespaces(), appArmor(), natives(), watches(), cgroups(), stateFolder(input.stateDir)]
}

function system(): Finding {
  const [major = 0, minor = 0] = release()
    .split('.')
    .map((part) => Number.parseInt(part, 10))
  const enough = process.platform === 'linux' && (major > kernelFloor[0] || (major === kernelFloor[0] && minor >= kernelFloor[1]))
  const what = `${process.platform} ${release()}`
  return enough
    ? { id: 'kernel', level: 'ok', what }
    : {
        id: 'kernel',
        level: 'missing',
        what: `${what}: Linux ${kernelFloor.join('.')} or later is needed`,
        remedy: 'Boot a newer kernel (Debian 12 and Ubuntu 22.04 have one)',
      }
}

function node(): Finding {
  const major = Number.parseInt(process.versions.node, 10)
  if (major >= nodeFloor) return { id: 'node', level: 'ok', what: `Node ${process.versions.node}` }
  return {
    id: 'node',
    level: 'missing',
    what: `Node ${process.versions.node} is too old: ${nodeFloor} or later`,
    remedy: `cd ${packageRoot()} && npm ci`,
    fix: ['npm', 'ci', '--prefix', packageRoot()],
  }
}

function userNamespaces(): Finding {
  const id = 'user-namespaces'
  const most = readNumber('/proc/sys/user/max_user_namespaces')
  if (most === 0)
    return {
      id,
      level: 'missing',
      what: 'user namespaces are switched off (user.max_user_namespaces = 0)',
      ...setting('user.max_user_namespaces', 15_000),
    }
  // Debian's own switch; absent elsewhere.
  if (readNumber('/proc/sys/kernel/unprivileged_userns_clone') === 0 && process.getuid?.() !== 0)
    return {
      id,
      level: 'missing',
      what: 'user namespaces are refused to ordinary users (kernel.unprivileged_userns_clone = 0)',
      ...setting('kernel.unprivileged_userns_clone', 1),
    }
  return { id, level: 'ok', what: 'user namespaces are available' }
}

/** Ubuntu 23.10 and later: programs without an AppArmor profile get no rights in user namespaces. */
function appArmor(): Finding {
  const id = 'apparmor'
  const restricted = readNumber('/proc/sys/kernel/apparmor_restrict_unprivileged_userns') === 1
  if (!restricted) return { id, level: 'ok', what: 'AppArmor does not restrict user namespaces' }
  if (existsSync('/etc/apparmor.d/anchorhold'))
    return { id, level: 'ok', what: 'AppArmor restricts user namespaces; the profile /etc/apparmor.d/anchorhold is installed' }
  if (process.getuid?.() === 0) return { id, level: 'ok', what: 'AppArmor restricts user namespaces of ordinary users; you are root' }
  const script = path.join(packageRoot(), 'scripts', 'apparmor.sh')
  const remedy = existsSync(script)
    ? { remedy: `sudo sh ${script}`, fix: ['sudo', 'sh', script] }
    : setting('kernel.apparmor_restrict_unprivileged_userns', 0)
  return { id, level: 'missing', what: 'AppArmor refuses user namespaces to programs without a profile (Ubuntu)', ...remedy }
}

function natives(): Finding {
  const helpers: readonly NativeHelper[] = ['anchorhold-cell', 'anchorhold-enter', 'anchorhold-scout', 'anchorhold-upper']
  const absent = helpers.filter((helper) => !existsSync(nativePath(helper)))
  if (absent.length === 0) return { id: 'native', level: 'ok', what: 'the native helpers are built' }
  const script = path.join(packageRoot(), 'scripts', 'build.sh')
  return { id: 'native', level: 'missing', what: `not built: ${absent.join(', ')}`, remedy: `sh ${script}`, fix: ['sh', script] }
}

function watches(): Finding {
  const most = readNumber('/proc/sys/fs/inotify/max_user_watches') ?? 0
  if (most >= watchesWanted) return { id: 'inotify', level: 'ok', what: `${most} inotify watches for each user` }
  return {
    id: 'inotify',
    level: 'warning',
    what: `only ${most} inotify watches for each user: files planted in large projects are seen at the end instead of at once`,
    ...setting('fs.inotify.max_user_watches', 524_288),
  }
}

/** Limits of memory and processes are hard ones only where the user may make cgroups (v2, delegated). */
function cgroups(): Finding {
  const id = 'cgroups'
  const own = read('/proc/self/cgroup')
    ?.split('\n')
    .find((line) => line.startsWith('0::'))
    ?.slice(3)
  if (own === undefined || !existsSync('/sys/fs/cgroup/cgroup.controllers'))
    return { id, level: 'warning', what: 'no cgroup v2: limits of memory and processes are kept by weaker means' }
  if (process.getuid?.() === 0) return { id, level: 'ok', what: 'cgroup v2, root' }
  const uid = process.getuid?.() ?? 0
  const service = `/sys/fs/cgroup/user.slice/user-${uid}.slice/user@${uid}.service`
  const controllers = (read(`${service}/cgroup.controllers`) ?? '').split(/\s+/)
  const lacking = ['memory', 'pids', 'cpu'].filter((controller) => !controllers.includes(controller))
  if (lacking.length === 0) return { id, level: 'ok', what: 'cgroup v2, delegated to you' }
  return {
    id,
    level: 'warning',
    what: `cgroup controllers not delegated to you: ${lacking.join(', ')}; those limits are kept by weaker means`,
    remedy: `sudo mkdir -p /etc/systemd/system/user@.service.d && printf '[Service]\\nDelegate=cpu memory pids\\n' | sudo tee /etc/systemd/system/user@.service.d/delegate.conf && sudo systemctl daemon-reload`,
  }
}

function stateFolder(stateDir: string): Finding {
  const id = 'state'
  const stat = statSync(stateDir, { throwIfNoEntry: false })
  if (stat === undefined) return { id, level: 'ok', what: `${stateDir} will be made by the first run` }
  const uid = process.getuid?.()
  if (uid !== undefined && stat.uid !== uid)
    return { id, level: 'missing', what: `${stateDir} belongs to user ${stat.uid}, not to you`, remedy: `sudo chown -R ${uid} ${stateDir}` }
  if ((stat.mode & 0o077) !== 0)
    return {
      id,
      level: 'warning',
      what: `${stateDir} is open to others (mode ${(stat.mode & 0o777).toString(8)})`,
      remedy: `chmod 700 ${stateDir}`,
      fix: ['chmod', '700', stateDir],
    }
  return { id, level: 'ok', what: `${stateDir} is yours alone` }
}

function setting(name: string, value: number): Pick<Finding, 'remedy' | 'fix'> {
  const argv = [...(process.getuid?.() === 0 ? [] : ['sudo']), 'sysctl', '-w', `${name}=${value}`]
  return { remedy: argv.join(' '), fix: argv }
}

function readNumber(file: string): number | undefined {
  const text = read(file)?.trim()
  return text === undefined || !/^\d+$/.test(text) ? undefined : Number(text)
}

function read(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    if (error instanceof Error && 'code' in error) return undefined
    throw error
  }
}
