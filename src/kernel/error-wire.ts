/**
 * Errors as plain data, for the ways out of a thread or a process: JSON-able on one side, an error again on the other.
 *
 * A `VarveError` keeps its code, message, details and causes. Any other error keeps name, message and causes and becomes
 * a plain `Error`: its class lives where it was thrown. Stacks are the thrower's. Whatever arrives is taken for hostile:
 * `decodeError` never throws, and nothing grows without bound.
 */

import { ERROR_KINDS, VarveError } from './errors.ts'
import type { ErrorCode } from './errors.ts'

export interface ErrorWire {
  readonly name: string
  /** Present for a `VarveError`. */
  readonly code?: string
  readonly message: string
  /** Strings, finite numbers, booleans, nulls, and arrays of those; other values as their text. */
  readonly details?: Readonly<Record<string, unknown>>
  readonly stack?: string
  readonly cause?: ErrorWire
}

// Enough for our longest message with a path in it, and for the top of a stack; a peer cannot make us keep more.
const MESSAGE_LENGTH_MAX = 4096
const STACK_LENGTH_MAX = 8192
const NAME_LENGTH_MAX = 64
// An error of the device under one of the file store under one of the job, with room to spare; also ends cycles.
const CAUSE_DEPTH_MAX = 4
const DETAIL_COUNT_MAX = 32
const DETAIL_ITEMS_MAX = 64

/** @param error anything that was thrown; what is no error becomes the message of one */
export function encodeError(error: unknown): ErrorWire {
  return encodeAt(error, CAUSE_DEPTH_MAX)
}

/** @param wire what `encodeError` gave, or anything at all */
export function decodeError(wire: unknown): Error {
  return decodeAt(wire, CAUSE_DEPTH_MAX)
}

function encodeAt(error: unknown, depth: number): ErrorWire {
  if (!(error instanceof Error)) return { name: 'Error', message: clip(textOf(error), MESSAGE_LENGTH_MAX) }
  const cause = error.cause
  return {
    name: clip(textOf(error.name), NAME_LENGTH_MAX),
    message: clip(textOf(error.message), MESSAGE_LENGTH_MAX),
    ...(error.stack === undefined ? {} : { stack: clip(textOf(error.stack), STACK_LENGTH_MAX) }),
    ...codeOf(error),
    ...(cause === undefined || depth === 0 ? {} : { cause: encodeAt(cause, depth - 1) }),
  }
}

/** The code and details of ours, or the code of a system error (`ENOENT`), which people look for. */
function codeOf(error: Error): { code?: string; details?: Readonly<Record<string, unknown>> } {
  if (error instanceof VarveError) return { code: error.code, details: plainDetails(error.details) }
  if ('code' in error && typeof error.code === 'string') return { details: { code: clip(error.code, NAME_LENGTH_MAX) } }
  return {}
}

function decodeAt(wire: unknown, depth: number): Error {
  if (typeof wire !== 'object' || wire === null) return new Error(clip(textOf(wire), MESSAGE_LENGTH_MAX))
  const { name, code, message, details, stack, cause } = wire as Partial<Record<keyof ErrorWire, unknown>>
  const text = typeof message === 'string' ? clip(message, MESSAGE_LENGTH_MAX) : 'an error without a message'
  const reason = cause === undefined || depth === 0 ? undefined : decodeAt(cause, depth - 1)
  const error = isErrorCode(code)
    ? new VarveError(code, text, { details: plainDetails(details), ...(reason === undefined ? {} : { cause: reason }) })
    : foreignError(name, code, text, details, reason)
  if (typeof stack === 'string') error.stack = clip(stack, STACK_LENGTH_MAX)
  return error
}

function foreignError(
  name: unknown,
  code: unknown,
  message: string,
  details: unknown,
  cause: Error | undefined,
): Error {
  // A code we do not know comes from a newer varve: keep it where people see it.
  const text = typeof code === 'string' ? `${clip(code, NAME_LENGTH_MAX)}: ${message}` : message
  const error = new Error(text, cause === undefined ? undefined : { cause })
  if (typeof name === 'string') error.name = clip(name, NAME_LENGTH_MAX)
  const systemCode = plainDetails(details)['code']
  if (typeof systemCode === 'string') Object.assign(error, { code: systemCode })
  return error
}

function isErrorCode(code: unknown): code is ErrorCode {
  return typeof code === 'string' && Object.hasOwn(ERROR_KINDS, code)
}

function plainDetails(details: unknown): Record<string, unknown> {
  const plain: Record<string, unknown> = {}
  if (typeof details !== 'object' || details === null) return plain
  for (const [name, value] of Object.entries(details).slice(0, DETAIL_COUNT_MAX)) {
    // What is not there is not there on the other side either.
    if (value === undefined) continue
    // Defined, not assigned: `__proto__` is a name like any other.
    Object.defineProperty(plain, clip(name, NAME_LENGTH_MAX), {
      value: Array.isArray(value) ? value.slice(0, DETAIL_ITEMS_MAX).map(plainValue) : plainValue(value),
      enumerable: true,
      configurable: true,
      writable: true,
    })
  }
  return plain
}

function plainValue(value: unknown): unknown {
  if (value === null || typeof value === 'boolean') return value
  if (typeof value === 'number' && Number.isFinite(value)) return value
  return clip(textOf(value), MESSAGE_LENGTH_MAX)
}

/** `String(value)`, also for values whose conversion throws. */
function textOf(value: unknown): string {
  try {
    return String(value)
  } catch {
    return 'a value without text'
  }
}

function clip(text: string, lengthMax: number): string {
  return text.length <= lengthMax ? text : text.slice(0, lengthMax)
}
