/**
 * An order of keys that jobs can find by themselves: they may run in another thread or on another machine, where a
 * function cannot be sent.
 */

import { VarveError } from '../../kernel/errors.ts'
import { BYTEWISE } from '../../kernel/key-order.ts'
import type { KeyOrder } from '../../kernel/key-order.ts'
import { kindOf } from '../../kernel/kind-of.ts'

/** An order of keys, and where workers find it. The name of `order` is recorded with the shard. */
export interface NamedOrder {
  /** As it is on this thread: the very export that is named below. */
  readonly order: KeyOrder
  /** Module that exports it: a package specifier, or a `file:` URL where all workers share a disk. */
  readonly module: string
  /** Name of the export. */
  readonly export: string
}

/** How a job's parameters name an order; undefined for bytewise. */
export type OrderReference = Pick<NamedOrder, 'module' | 'export'> & { readonly name: string }

/** @throws {TypeError} not a usable order */
export function checkOrder(input: NamedOrder | undefined): KeyOrder {
  if (input === undefined) return BYTEWISE
  const given: unknown = input
  if (typeof given !== 'object' || given === null) throw new TypeError(`order must be an object, got ${kindOf(given)}`)
  const { order, module, export: exported } = input
  if (typeof order?.compare !== 'function' || typeof order.name !== 'string')
    throw new TypeError('order.order must be a KeyOrder')
  if (typeof module !== 'string' || typeof exported !== 'string')
    throw new TypeError('order.module and order.export must be strings')
  if (order.bytewise || order.name === BYTEWISE.name || order.name === '') {
    throw new TypeError(
      `order.order must have a name of its own and bytewise: false, got ${JSON.stringify(order.name)}`,
    )
  }
  return order
}

export function referenceTo(input: NamedOrder | undefined): OrderReference | undefined {
  return input === undefined ? undefined : { name: input.order.name, module: input.module, export: input.export }
}

/** @throws {VarveError} INCOMPATIBLE — the module does not load, or exports another order */
export async function resolveOrder(reference: OrderReference | undefined): Promise<KeyOrder> {
  if (reference === undefined) return BYTEWISE
  let found: unknown
  try {
    found = ((await import(reference.module)) as Record<string, unknown>)[reference.export]
  } catch (cause) {
    throw incompatible(reference, 'the module does not load', cause)
  }
  const order = found as Partial<KeyOrder> | undefined
  if (typeof order?.compare !== 'function' || order.name !== reference.name)
    throw incompatible(reference, 'it exports another', undefined)
  return order as KeyOrder
}

function incompatible(reference: OrderReference, reason: string, cause: unknown): VarveError {
  return new VarveError(
    'INCOMPATIBLE',
    `key order ${reference.name} cannot be had from ${reference.module}#${reference.export}: ${reason}`,
    {
      cause,
      details: { what: 'key order', expected: reference.name },
    },
  )
}
