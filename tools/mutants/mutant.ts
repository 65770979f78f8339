/**
 * Seeded bugs: what somebody might break, and the tests that must notice.
 *
 * Each is a replacement in the compiled JavaScript, where a snippet must occur exactly once: code that was rewritten makes
 * the mutant stale, which is an error, never a pass. Most are mistakes that some storage engine has shipped.
 */

export interface Mutant {
  readonly id: string
  /** Below `build/src`. */
  readonly file: string
  readonly find: string
  readonly replace: string
  /** Compiled tests below `build`, of which one at least must fail. */
  readonly killers: readonly string[]
}

export function mutant(id: string, file: string, find: string, replace: string, ...killers: readonly string[]): Mutant {
  return { id, file, find, replace, killers }
}
