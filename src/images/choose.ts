// Which container engine builds, lists and prunes where none was named: the one whose command line answers, podman first as a run would.
import { Failure } from '../errors/failure.ts'
import type { ContainerProgram } from '../model/image.ts'
import { ask, containerProgram, lastSentence } from './program.ts'

/**
 * @param choice `docker`, `podman`, or an engine that is neither, which leaves the choice open
 * @throws Failure 'image/no-engine' with what each of them said
 */
export async function chooseProgram(choice: string, env: Readonly<Record<string, string | undefined>>): Promise<ContainerProgram> {
  const names: readonly ContainerProgram['name'][] = choice === 'docker' || choice === 'podman' ? [choice] : ['podman', 'docker']
  const reasons: string[] = []
  for (const name of names) {
    const program = containerProgram(name, env)
    const answer = await ask(program, ['version'])
    if (answer.code === 0) return program
    reasons.push(`${name}: ${lastSentence(answer.stderr)}`)
  }
  throw new Failure('image/no-engine', { reason: reasons.join('; ') })
}
