/** Values of a row. What is not there, or is something else, is a server whose tables are not ours. */

import { VarveError } from '../kernel/errors.ts'
import type { SqlRow } from './sql.ts'

/** @throws {VarveError} INCOMPATIBLE */
export function textOf(row: SqlRow, column: string): string {
  const value = row[column]
  if (typeof value === 'string') return value
  throw unexpected(column, String(value))
}

export function optionalTextOf(row: SqlRow, column: string): string | undefined {
  return row[column] ?? undefined
}

/** An integer below 2^53. @throws {VarveError} INCOMPATIBLE */
export function integerOf(row: SqlRow, column: string): number {
  const value = Number(textOf(row, column))
  if (Number.isSafeInteger(value)) return value
  throw unexpected(column, String(value))
}

/** Any number. @throws {VarveError} INCOMPATIBLE */
export function numberOf(row: SqlRow, column: string): number {
  const value = Number(textOf(row, column))
  if (!Number.isNaN(value)) return value
  throw unexpected(column, String(value))
}

/** A signed 64-bit column that holds a u64. @throws {VarveError} INCOMPATIBLE */
export function u64Of(row: SqlRow, column: string): bigint {
  const text = textOf(row, column)
  if (/^-?[0-9]{1,20}$/.test(text)) return BigInt.asUintN(64, BigInt(text))
  throw unexpected(column, text)
}

/** As a column holds it. */
export function u64Column(value: bigint): bigint {
  return BigInt.asIntN(64, value)
}

export function flagOf(row: SqlRow, column: string): boolean {
  return textOf(row, column) === 't'
}

/** A `bytea`, in memory of its own. @throws {VarveError} INCOMPATIBLE */
export function bytesOf(row: SqlRow, column: string): Uint8Array {
  const text = textOf(row, column)
  if (!text.startsWith('\\x')) throw unexpected(column, text.slice(0, 8))
  const bytes = Buffer.from(text.slice(2), 'hex')
  if (bytes.length !== (text.length - 2) / 2) throw unexpected(column, 'no hexadecimal digits')
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length)
}

function unexpected(column: string, found: string): VarveError {
  return new VarveError('INCOMPATIBLE', `PostgreSQL answered ${JSON.stringify(found)} for ${column}`, {
    details: { what: `column ${column}`, found },
  })
}
