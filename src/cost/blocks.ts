// Blocks of five hours, as the providers' plans count them: one begins at the full hour of the first request after the one before has ended.

export const blockLength: number = 5 * 3_600_000

/** The start of the block of each moment. Moments ascend. */
export function blockStarts(times: Float64Array): Float64Array {
  const starts = new Float64Array(times.length)
  let start = -Infinity
  for (let at = 0; at < times.length; at++) {
    const time = times[at] as number
    if (time >= start + blockLength) start = Math.floor(time / 3_600_000) * 3_600_000
    starts[at] = start
  }
  return starts
}
