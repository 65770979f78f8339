/** Keys and values as a command line has them: text, or bytes written as hexadecimal or base64. */

import type { CommandArguments } from './command-arguments.ts'
import type { CommandOption } from './command.ts'
import { base64Bytes } from './base64-bytes.ts'
import { UsageError } from './usage-error.ts'

export type Notation = 'text' | 'hex' | 'base64'

export const NOTATION_OPTIONS: readonly CommandOption[] = [
  { name: 'hex', help: 'keys and values are given in hexadecimal digits' },
  { name: 'base64', help: 'keys and values are given in base64' },
]

/** @throws {UsageError} both */
export function notationOf({ has }: CommandArguments): Notation {
  if (has('hex') && has('base64')) throw new UsageError('give --hex or --base64, not both')
  return has('hex') ? 'hex' : has('base64') ? 'base64' : 'text'
}

/**
 * @param what names the argument in errors
 * @throws {UsageError} not of that notation
 */
export function bytesOf(argument: string, notation: Notation, what: string): Uint8Array {
  if (notation === 'hex') return hexBytes(argument, what)
  if (notation === 'base64') {
    const bytes = base64Bytes(argument)
    if (bytes === undefined) throw new UsageError(`${what} is no base64: '${argument}'`)
    return bytes
  }
  // What the system handed over and is no UTF-8 arrives as U+FFFD: other bytes would be meant than were given.
  if (argument.includes('\ufffd')) {
    throw new UsageError(`${what} is not valid UTF-8, or contains the character U+FFFD: give it with --hex`)
  }
  return Buffer.from(argument)
}

function hexBytes(argument: string, what: string): Uint8Array {
  const odd = argument.search(/[^0-9a-fA-F]/)
  if (odd >= 0) throw new UsageError(`${what} is not hexadecimal: '${argument}' has a '${argument[odd]}'`)
  if (argument.length % 2 !== 0) throw new UsageError(`${what} has an odd number of hexadecimal digits: '${argument}'`)
  return Buffer.from(argument, 'hex')
}
