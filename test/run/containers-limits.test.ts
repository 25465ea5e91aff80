// What a cell in a container is given of a terminal, and what its limits end: seen from the terminal and from the command's own end.
import { expect, it } from 'vitest'
import { anchorhold, makeWorld, type Outcome, type World } from '../support/anchorhold.ts'
import { describeContainers, type ContainerHere } from '../support/containers.ts'
import { openTerminal } from '../support/terminal.ts'

await describeContainers('terminal and limits in containers', (engine) => {
  if (engine.program !== 'docker')
    return it('is refused where this version does not have the engine', async () => {
      expect(await limited(engine, worldOf(engine), ['processes=64'], 'true')).toMatchObject({ code: 125 })
    })

  it('an interactive shell has its size, a new size, Ctrl-C, Ctrl-Z and its own exit code', async () => {
    const world = worldOf(engine)
    const terminal = openTerminal(world)
    await terminal.see('outer> ')
    terminal.type(`anchorhold run --engine docker --image ${engine.base} -- bash --norc --noprofile\n`)
    await terminal.see('bash-')
    terminal.type('stty size; stty rows 21 cols 77; stty size\n')
    await terminal.see('30 120')
    await terminal.see('21 77')
    terminal.type('sleep 1000\n')
    await terminal.see('sleep 1000')
    await new Promise((resolve) => setTimeout(resolve, 300)) // until it is what runs in front
    terminal.type('\x03')
    await terminal.see('^C')
    terminal.type('echo "code $?"\n')
    await terminal.see('code 130')
    terminal.type('sleep 1000\n')
    await terminal.see('sleep 1000')
    await new Promise((resolve) => setTimeout(resolve, 300))
    terminal.type('\x1a')
    await terminal.see('Stopped')
    terminal.type('fg\n')
    await terminal.see('sleep 1000')
    await new Promise((resolve) => setTimeout(resolve, 300))
    terminal.type('\x03')
    await terminal.see('^C')
    terminal.type('exit 9\n')
    await terminal.see('outer> ')
    terminal.type('echo "outside $?"; stty -a | grep -o " -\\?echo " | tr -d " "\n')
    await terminal.see('outside 9')
    await terminal.see('\r\necho\r\n')
  })

  it('time, memory, processes, files and folders of memory end at their limits; what stays below goes on', async () => {
    const world = worldOf(engine)
    const late = await limited(engine, world, ['time=1s'], 'trap "" TERM INT; sleep 60; :')
    expect(late).toMatchObject({ code: 137, stderr: expect.stringMatching(/time/) })
    const eater = 'a=$(head -c 300000000 /dev/zero | tr "\\0" x); echo ${#a}'
    expect((await limited(engine, world, ['memory=64m'], eater)).stdout).toBe('')
    expect(await limited(engine, world, ['memory=1g'], eater)).toMatchObject({ code: 0, stdout: '300000000\n' })
    const many = 'for i in $(seq 30); do sleep 2 & done; exit 3'
    expect((await limited(engine, world, ['processes=16'], many)).stderr).toMatch(/fork/)
    expect(await limited(engine, world, ['processes=64'], many)).toMatchObject({ code: 3 })
    const files = await limited(
      engine,
      world,
      ['fileSize=1m', 'openFiles=256', 'tmp=16m'],
      'head -c 2000000 /dev/zero > big; stat -c %s big; ulimit -n; for i in $(seq 40); do head -c 1000000 /dev/zero > /tmp/$i || break; done 2>/dev/null; df -k --output=used /tmp | tail -n1',
    )
    expect(files.stdout).toMatch(/^1048576\n256\n16384\n$/)
  })
})

function worldOf(engine: ContainerHere): World {
  const world = makeWorld()
  return { ...world, env: { ...world.env, ...engine.env, HOME: world.home } }
}

function limited(engine: ContainerHere, world: World, limits: readonly string[], script: string): Promise<Outcome> {
  const words = limits.flatMap((limit) => ['--limit', limit])
  return anchorhold(world, ['run', '--engine', engine.program, '--image', engine.base, ...words, '--', 'bash', '-c', script], {
    env: { ...engine.env, HOME: world.home },
    timeoutMilliseconds: 90_000,
  })
}
