// What is used here of WebAssembly, which TypeScript knows in its library for browsers only.
declare namespace WebAssembly {
  class Memory {
    constructor(size: { readonly initial: number; readonly maximum: number })
    readonly buffer: ArrayBuffer
    /** Adds pages of 64 KiB; views of the old `buffer` are empty from then on. */
    grow(pages: number): number
  }
  class Module {
    constructor(bytes: Uint8Array)
    private readonly code: unknown
  }
  class Instance {
    constructor(module: Module, imports: Readonly<Record<string, Readonly<Record<string, unknown>>>>)
    readonly exports: Readonly<Record<string, unknown>>
  }
}
