/** An option that takes one of a few words. */

import type { CommandArguments } from './command-arguments.ts'
import { UsageError } from './usage-error.ts'

/** Undefined where it was not given. @throws {UsageError} another word */
export function choiceOf<Choice extends string>(
  { value }: CommandArguments,
  option: string,
  choices: readonly Choice[],
): Choice | undefined {
  const given = value(option)
  if (given === undefined) return undefined
  const choice = choices.find((known) => known === given)
  if (choice !== undefined) return choice
  throw new UsageError(`--${option} is ${choices.slice(0, -1).join(', ')} or ${choices.at(-1)}, not '${given}'`)
}
