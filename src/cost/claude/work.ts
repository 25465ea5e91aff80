// What a line of Claude Code's shows of the work: the tools of a response, a prompt of the user's, a conversation that was cut down.
import { idle, object, parseObject, text } from '../json.ts'
import type { Work } from '../reader.ts'

export function claudeWork(source: string): Work {
  const line = parseObject(source)
  if (line === undefined) return idle
  const content = object(line['message'])?.['content']
  const blocks = Array.isArray(content) ? content.map(object) : []
  const agent = text(line['agentId'])
  if (line['type'] === 'assistant') {
    const calls = blocks.filter((block) => block?.['type'] === 'tool_use')
    const tools = calls.map((block, place) => [text(block?.['id']) ?? String(place), text(block?.['name']) ?? 'tool'] as const)
    return { ...idle, tools, agent }
  }
  const asked = typeof content === 'string' || blocks.some((block) => block?.['type'] === 'text')
  const prompt =
    line['type'] === 'user' && asked && line['isSidechain'] !== true && line['isMeta'] !== true && line['toolUseResult'] === undefined
  return { ...idle, prompt, compacted: line['type'] === 'system' && line['subtype'] === 'compact_boundary', agent }
}
