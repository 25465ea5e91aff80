// Runs a compiled filter as the kernel would (Documentation/networking/filter.rst), for the tables of tests.

/** The 32-bit answer of the filter; throws on an instruction that it should not hold. */
export function runFilter(
  program: Uint8Array,
  number: number,
  args: readonly number[] = [],
  arch = 0xc000003e,
): { answer: number; steps: number } {
  const view = new DataView(program.buffer, program.byteOffset, program.byteLength)
  const load = (offset: number): number => {
    if (offset === 0) return number
    if (offset === 4) return arch
    if (offset >= 16 && offset % 8 === 0) return (args[(offset - 16) / 8] ?? 0) >>> 0
    if (offset >= 20 && offset % 8 === 4) return Math.floor((args[(offset - 20) / 8] ?? 0) / 2 ** 32) >>> 0
    throw new Error(`load of ${offset}`)
  }
  let accumulator = 0
  let steps = 0
  for (let at = 0; at < program.byteLength / 8; at++, steps++) {
    const code = view.getUint16(at * 8, true)
    const jt = view.getUint8(at * 8 + 2)
    const jf = view.getUint8(at * 8 + 3)
    const k = view.getUint32(at * 8 + 4, true)
    if (code === 0x20) accumulator = load(k)
    else if (code === 0x54) accumulator = (accumulator & k) >>> 0
    else if (code === 0x05) at += k
    else if (code === 0x15) at += accumulator === k ? jt : jf
    else if (code === 0x35) at += accumulator >= k ? jt : jf
    else if (code === 0x06) return { answer: k, steps }
    else throw new Error(`instruction ${code.toString(16)}`)
  }
  throw new Error('ran off the end')
}

const names = new Map([
  [0x7fff0000, 'allow'],
  [0x50001, 'EPERM'],
  [0x50026, 'ENOSYS'],
  [0x5005d, 'EPROTONOSUPPORT'],
  [0x50061, 'EAFNOSUPPORT'],
])

export function nameAnswer(answer: number): string {
  return names.get(answer) ?? answer.toString(16)
}
