// Tables that most starts never look at are made when somebody does.

/** `make`, called once, at the first call of the result. */
export function whenAsked<T extends object>(make: () => T): () => T {
  let made: T | undefined
  return () => (made ??= make())
}
