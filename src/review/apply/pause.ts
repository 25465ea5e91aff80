// Between two steps of an apply, which are synchronous: an interrupt is heard. Used by stage.ts and perform.ts.

/** Lets the event loop turn once. Without a signal nobody would hear: it returns at once. @throws the signal's reason */
export async function pause(signal: AbortSignal | undefined): Promise<void> {
  if (signal === undefined) return
  await new Promise((resolve) => setImmediate(resolve))
  signal.throwIfAborted()
}
