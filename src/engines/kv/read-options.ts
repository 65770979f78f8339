/** Options of reads, checked before anything is looked up: one that is ignored answers what nobody has asked. */

import { checkSignal, throwIfAborted } from '../../kernel/errors.ts'
import { kindOf } from '../../kernel/kind-of.ts'
import { checkOptionNames } from '../../kernel/option-names.ts'
import type { GetOptions, SyncReadOptions, VerifyOptions } from './kv.ts'

const GET_OPTIONS: Readonly<Record<keyof GetOptions, true>> = { snapshot: true, signal: true, fresh: true }
const SYNC_OPTIONS: Readonly<Record<keyof SyncReadOptions, true>> = { snapshot: true, mayBlock: true }
const VERIFY_OPTIONS: Readonly<Record<keyof VerifyOptions, true>> = { level: true, signal: true }
const COLUMN_OPTIONS = { signal: true } as const

/** Whether the read is to be fresh. @throws {TypeError} an unknown name, or a value of the wrong kind; {VarveError} ABORTED */
export function isFresh(options: GetOptions | undefined): boolean {
  if (options === undefined) return false
  checkOptionNames(options, GET_OPTIONS)
  throwIfAborted(options.signal)
  return flag('fresh', options.fresh, false)
}

/** Whether the read may wait for a file. @throws {TypeError} likewise */
export function mayBlock(options: SyncReadOptions | undefined): boolean {
  if (options === undefined) return true
  checkOptionNames(options, SYNC_OPTIONS)
  return flag('mayBlock', options.mayBlock, true)
}

/** @throws {TypeError} likewise */
export function checkVerifyOptions(options: VerifyOptions): void {
  checkOptionNames(options, VERIFY_OPTIONS)
  checkSignal(options.signal)
  const { level }: { readonly level?: unknown } = options
  if (level !== undefined && level !== 'bytes' && level !== 'structure')
    throw new TypeError(
      `level must be 'bytes' or 'structure', got ${typeof level === 'string' ? level : kindOf(level)}`,
    )
}

/** @throws {TypeError} likewise */
export function checkColumnOptions(options: Pick<VerifyOptions, 'signal'>): void {
  checkOptionNames(options, COLUMN_OPTIONS)
  checkSignal(options.signal)
}

/** @throws {TypeError} neither true nor false: what only looks like one of them (0, 'no') may be meant either way */
export function flag(name: string, given: unknown, otherwise: boolean): boolean {
  if (given === undefined) return otherwise
  if (typeof given !== 'boolean') throw new TypeError(`${name} must be a boolean, got ${kindOf(given)}`)
  return given
}
