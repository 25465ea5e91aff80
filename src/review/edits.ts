// Which lines of two texts are the same: Myers' greedy algorithm (1986), and where the texts are too different for it, lines that occur once
// in both as anchors. Pure, over numbers; hunks.ts and merge.ts put the lines back.

/** Equal stretch: `length` lines from `a` and from `b`. */
export interface Match {
  readonly a: number
  readonly b: number
  readonly length: number
}

/** Above so many differences the search would take memory by their square. */
const mostEdits = 1500

/** Matching stretches in order, none empty. Lines are compared by `===`. */
export function matchLines(a: readonly string[], b: readonly string[]): readonly Match[] {
  const numbers = new Map<string, number>()
  const intern = (line: string): number => {
    const known = numbers.get(line)
    if (known !== undefined) return known
    numbers.set(line, numbers.size)
    return numbers.size - 1
  }
  const pairs: Match[] = []
  match(Int32Array.from(a, intern), Int32Array.from(b, intern), 0, 0, pairs)
  return join(pairs)
}

function match(a: Int32Array, b: Int32Array, atA: number, atB: number, into: Match[]): void {
  let start = 0
  const least = Math.min(a.length, b.length)
  while (start < least && a[start] === b[start]) start += 1
  let end = 0
  while (end < least - start && a[a.length - 1 - end] === b[b.length - 1 - end]) end += 1
  if (start > 0) into.push({ a: atA, b: atB, length: start })
  const innerA = a.subarray(start, a.length - end)
  const innerB = b.subarray(start, b.length - end)
  if (innerA.length > 0 && innerB.length > 0) {
    const found = myers(innerA, innerB) ?? undefined
    if (found === undefined) anchored(innerA, innerB, atA + start, atB + start, into)
    else for (const each of found) into.push({ a: atA + start + each.a, b: atB + start + each.b, length: each.length })
  }
  if (end > 0) into.push({ a: atA + a.length - end, b: atB + b.length - end, length: end })
}

/** Undefined where there are more than `mostEdits` differences. */
function myers(a: Int32Array, b: Int32Array): readonly Match[] | undefined {
  const most = Math.min(a.length + b.length, mostEdits)
  const reach = new Int32Array(2 * most + 3)
  const middle = most + 1
  const trace: Int32Array[] = []
  for (let d = 0; d <= most; d += 1) {
    trace.push(reach.slice(middle - d - 1, middle + d + 2))
    for (let k = -d; k <= d; k += 2) {
      const down = k === -d || (k !== d && (reach[middle + k - 1] ?? 0) < (reach[middle + k + 1] ?? 0))
      let x = down ? (reach[middle + k + 1] ?? 0) : (reach[middle + k - 1] ?? 0) + 1
      let y = x - k
      while (x < a.length && y < b.length && a[x] === b[y]) {
        x += 1
        y += 1
      }
      reach[middle + k] = x
      if (x >= a.length && y >= b.length) return walkBack(trace, a.length, b.length)
    }
  }
  return undefined
}

function walkBack(trace: readonly Int32Array[], endA: number, endB: number): readonly Match[] {
  const found: Match[] = []
  let x = endA
  let y = endB
  for (let d = trace.length - 1; d >= 0; d -= 1) {
    const reach = trace[d] ?? new Int32Array(0)
    const at = (k: number): number => reach[k + d + 1] ?? 0
    const k = x - y
    const down = k === -d || (k !== d && at(k - 1) < at(k + 1))
    const previousK = down ? k + 1 : k - 1
    const previousX = d === 0 ? 0 : at(previousK)
    const previousY = d === 0 ? 0 : previousX - previousK
    const startX = d === 0 ? 0 : down ? previousX : previousX + 1
    if (x > startX) found.push({ a: startX, b: startX - k, length: x - startX })
    x = previousX
    y = previousY
  }
  return found.toReversed()
}

/** Lines that occur once in both, the longest rising run of them; what lies between is matched by itself. */
function anchored(a: Int32Array, b: Int32Array, atA: number, atB: number, into: Match[]): void {
  const once = (lines: Int32Array): ReadonlyMap<number, number> => {
    const places = new Map<number, number>()
    for (const [index, line] of lines.entries()) places.set(line, places.has(line) ? -1 : index)
    return places
  }
  const inB = once(b)
  const common = [...once(a)].flatMap(([line, x]) => {
    const y = inB.get(line) ?? -1
    return x === -1 || y === -1 ? [] : [{ x, y }]
  })
  const run = longestRising(common.toSorted((left, right) => left.x - right.x))
  if (run.length === 0) return
  let x = 0
  let y = 0
  for (const anchor of [...run, { x: a.length, y: b.length }]) {
    const partA = a.subarray(x, anchor.x)
    const partB = b.subarray(y, anchor.y)
    if (partA.length > 0 && partB.length > 0) match(partA, partB, atA + x, atB + y, into)
    if (anchor.x < a.length) into.push({ a: atA + anchor.x, b: atB + anchor.y, length: 1 })
    x = anchor.x + 1
    y = anchor.y + 1
  }
}

interface Anchor {
  readonly x: number
  readonly y: number
}

function longestRising(anchors: readonly Anchor[]): readonly Anchor[] {
  const ends: number[] = []
  const before = new Int32Array(anchors.length).fill(-1)
  for (const [index, { y }] of anchors.entries()) {
    let low = 0
    let high = ends.length
    while (low < high) {
      const half = (low + high) >> 1
      if ((anchors[ends[half] ?? 0]?.y ?? 0) < y) low = half + 1
      else high = half
    }
    before[index] = low === 0 ? -1 : (ends[low - 1] ?? -1)
    ends[low] = index
  }
  const run: Anchor[] = []
  for (let index = ends.at(-1) ?? -1; index >= 0; index = before[index] ?? -1) {
    const anchor = anchors[index]
    if (anchor !== undefined) run.push(anchor)
  }
  return run.toReversed()
}

function join(matches: readonly Match[]): readonly Match[] {
  const joined: Match[] = []
  for (const each of matches) {
    const last = joined.at(-1)
    if (last !== undefined && last.a + last.length === each.a && last.b + last.length === each.b)
      joined[joined.length - 1] = { ...last, length: last.length + each.length }
    else joined.push(each)
  }
  return joined
}
