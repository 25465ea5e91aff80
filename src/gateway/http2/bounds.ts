// Gateway, http2: what one connection may cost, for everything that HTTP/2 lets a client send without asking for anything.

/** Whether one more of a kind is within bounds: `burst` at once, `perSecond` for good. */
export type Bucket = () => boolean

export function makeBucket(burst: number, perSecond: number, now: () => number = () => performance.now()): Bucket {
  let left = burst
  let at = now()
  return () => {
    const later = now()
    left = Math.min(burst, left + ((later - at) / 1_000) * perSecond)
    at = later
    if (left < 1) return false
    left -= 1
    return true
  }
}

/** Streams of one connection at a time; what waits beyond that is refused by the runtime. */
export const maxStreams = 100
/** Bytes on their way into one stream (the runtime holds what is not read yet), and into one connection. All streams together stay below the next. */
export const streamWindow = 262_144
export const connectionWindow = 4_194_304
/** In MB, as the runtime counts: what one connection may hold in the gateway. */
export const maxSessionMemory = 32

/** Resets by the client (CVE-2023-44487), settings and pings (CVE-2019-9512, -9515): ordinary clients stay far below. */
export const resets = { burst: 200, perSecond: 50 } as const
export const settingsFrames = { burst: 20, perSecond: 1 } as const
export const pings = { burst: 100, perSecond: 20 } as const
