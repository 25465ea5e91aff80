// The memory of the hot path (walk.ts): one page of its own, then the bytes of a log. What was found of a line lies at the page's beginning, where
// src/cost/claude/walker.ts reads it.

export const skip = 0
export const bill = 1
export const odd = 2

// What it found of a line (end 0: not there), in the order that walk.ts reads them by.
export const lineStart: usize = 0
export const lineEnd: usize = 4
export const linesPassed: usize = 8
export const idStart: usize = 12
export const idEnd: usize = 16
export const requestStart: usize = 20
export const requestEnd: usize = 24
export const modelStart: usize = 28
export const modelEnd: usize = 32
export const sessionStart: usize = 36
export const sessionEnd: usize = 40
export const timeStart: usize = 44
export const timeEnd: usize = 48
export const cwdStart: usize = 52
export const cwdEnd: usize = 56
export const flags: usize = 60
/** Counts, as 64-bit floats. */
export const input: usize = 64
export const output: usize = 72
export const written: usize = 80
export const write5m: usize = 88
export const write1h: usize = 96
export const read: usize = 104
export const web: usize = 112
/** Milliseconds since 1970; NaN where it is no such time. */
export const time: usize = 120
/** What src/cost/records.ts keeps of it. */
export const keyLow: usize = 128
export const keyHigh: usize = 132
export const shapeLow: usize = 136
export const shapeHigh: usize = 140
/** Where counts go that nobody asks for. */
export const ignored: usize = 160
/** The session and the model that stood in the line before, each with its length in front. */
export const lastSession: usize = 512
export const lastModel: usize = 768
export const mostKept: u32 = 250

export const isSidechain: u32 = 1
export const isFast: u32 = 2
export const isBatch: u32 = 4
export const isUsOnly: u32 = 8
export const isKeyed: u32 = 16
/** Nothing was used. */
export const isEmpty: u32 = 32
/** As in the line before. */
export const sameSession: u32 = 64
export const sameModel: u32 = 128
/** While a line is walked. */
export const usageSeen: u32 = 256

export const quote: u8 = 0x22
export const comma: u8 = 0x2c
export const dash: u8 = 0x2d
export const zero: u8 = 0x30
export const nine: u8 = 0x39
export const colon: u8 = 0x3a
export const openList: u8 = 0x5b
export const backslash: u8 = 0x5c
export const closeList: u8 = 0x5d
export const open: u8 = 0x7b
export const close: u8 = 0x7d
export const lineFeed: u8 = 0x0a
