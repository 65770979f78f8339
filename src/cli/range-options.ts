/** The options by which scan, export, compact and delete say which keys they are about. */

import type { KvRange } from '../engines/kv/kv.ts'
import { compareBytes } from '../kernel/bytes.ts'
import { bytesOf } from './argument-bytes.ts'
import type { Notation } from './argument-bytes.ts'
import type { CommandArguments } from './command-arguments.ts'
import type { CommandOption } from './command.ts'
import { UsageError } from './usage-error.ts'

export const RANGE_OPTIONS: readonly CommandOption[] = [
  { name: 'prefix', value: 'KEY', help: 'only keys that begin with it' },
  { name: 'gt', value: 'KEY', help: 'only keys after it' },
  { name: 'gte', value: 'KEY', help: 'only this key and those after it' },
  { name: 'lt', value: 'KEY', help: 'only keys before it' },
  { name: 'lte', value: 'KEY', help: 'only this key and those before it' },
]

/** @throws {UsageError} two bounds on one side, bounds that leave no key, or not of the notation */
export function rangeOf({ value }: CommandArguments, notation: Notation): KvRange {
  const range: { -readonly [Name in keyof KvRange]: Uint8Array } = {}
  for (const name of ['prefix', 'gt', 'gte', 'lt', 'lte'] as const) {
    const given = value(name)
    if (given !== undefined) range[name] = bytesOf(given, notation, `--${name}`)
  }
  if (range.gt !== undefined && range.gte !== undefined) throw new UsageError('give --gt or --gte, not both')
  if (range.lt !== undefined && range.lte !== undefined) throw new UsageError('give --lt or --lte, not both')
  const [lower, upper] = [range.gt ?? range.gte, range.lt ?? range.lte]
  if (lower !== undefined && upper !== undefined && compareBytes(lower, upper) > 0) {
    const [after, before] = [range.gt === undefined ? 'gte' : 'gt', range.lt === undefined ? 'lte' : 'lt']
    throw new UsageError(
      `no key is both ${after} '${value(after)}' and ${before} '${value(before)}': are they the wrong way round?`,
    )
  }
  return range
}
