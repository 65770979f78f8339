/** The workloads of crash-point enumeration: all short sequences over ten operations (CrashMonkey, OSDI 2018). */

import type { KvShard } from '../../src/engines/kv/kv-shard.ts'
import type { KvSnapshot } from '../../src/engines/kv/kv.ts'

export const OPERATIONS = Object.freeze([
  'put',
  'del',
  'batch',
  'delRange',
  'flush',
  'compact',
  'rotate',
  'sync',
  'snapshot',
  'reopen',
] as const)

export type Operation = (typeof OPERATIONS)[number]
export type Workload = readonly Operation[]

/** Content of the database, sorted by key. */
export type State = ReadonlyMap<string, string>

/** What an operation may use. */
export interface Bench {
  db: KvShard
  readonly snapshots: KvSnapshot[]
  reopen(): Promise<void>
}

/** What an operation does to the content: undefined where it leaves it alone. */
export function effect(operation: Operation, state: State, index: number): State | undefined {
  const next = new Map(state)
  if (operation === 'put') next.set('b', valueOf(index))
  else if (operation === 'rotate') next.set('r', bigValueOf(index))
  else if (operation === 'del') next.delete('a')
  else if (operation === 'batch') {
    next.set('a', valueOf(index))
    next.delete('c')
    next.set('d', valueOf(index))
  } else if (operation === 'delRange') {
    for (const name of state.keys()) if (name >= 'b' && name < 'd') next.delete(name)
  } else return undefined
  return new Map([...next].sort(([a], [b]) => (a < b ? -1 : 1)))
}

/** True where everything before is on stable storage once the operation has been acknowledged. */
export function isDurable(operation: Operation): boolean {
  return operation === 'sync' || operation === 'flush' || operation === 'batch' || operation === 'reopen'
}

export async function perform(operation: Operation, bench: Bench, index: number): Promise<void> {
  const { db } = bench
  const value = Buffer.from(valueOf(index))
  if (operation === 'put') await db.put(key('b'), value)
  else if (operation === 'rotate') await db.put(key('r'), Buffer.from(bigValueOf(index)))
  else if (operation === 'del') await db.delete(key('a'))
  else if (operation === 'batch') {
    await db.batch(
      [
        { type: 'put', key: key('a'), value },
        { type: 'delete', key: key('c') },
        { type: 'put', key: key('d'), value },
      ],
      { durability: 'synced' },
    )
  } else if (operation === 'delRange') await db.deleteRange({ gte: key('b'), lt: key('d') })
  else if (operation === 'flush') await db.flush()
  else if (operation === 'compact') await db.compactRange()
  else if (operation === 'sync') await db.sync()
  else if (operation === 'snapshot') bench.snapshots.push(db.snapshot())
  else await bench.reopen()
}

/** Every workload of `lengthMin` to `lengthMax` operations, shorter ones first. */
export function* workloads(lengthMin: number, lengthMax: number): Generator<Workload> {
  for (let length = lengthMin; length <= lengthMax; length++) yield* extend([], length)
}

function* extend(workload: Workload, length: number): Generator<Workload> {
  if (workload.length === length) yield workload
  else for (const operation of OPERATIONS) yield* extend([...workload, operation], length)
}

function key(text: string): Uint8Array {
  return Buffer.from(text)
}

function valueOf(index: number): string {
  return `value ${index}`
}

/** So large that the journal begins another segment, with the smallest it can have. */
function bigValueOf(index: number): string {
  return `big ${index} `.padEnd(2100, String(index % 10))
}
