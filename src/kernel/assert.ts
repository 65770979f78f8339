/** Assertions: a broken promise inside varve. One condition each, constant messages, so that passing allocates nothing. */

/** A defect in varve or in an engine: nobody should catch it, hence no code. Please report it. */
export class AssertionError extends Error {
  override readonly name = 'AssertionError'
}

/** Throws AssertionError with `message`, a constant, where `condition` is false. Always on. */
export function assert(condition: boolean, message: string): asserts condition {
  if (!condition) throw new AssertionError(message)
}

/** Marks a branch the types rule out. */
export function unreachable(value: never): never {
  throw new AssertionError(`unreachable: ${String(value)}`)
}
