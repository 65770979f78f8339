/**
 * `npm run measure:native [-- DIRECTORY]`: what the addon buys, for docs/decisions/0008-native-addon.md.
 *
 * Rounds of with and without take turns, so that a machine that is busy is busy for both. Prints medians.
 */

import fs from 'node:fs'
import path from 'node:path'
import { argv, env } from 'node:process'
import { NodeDevice } from '../src/fs/node-device.ts'
import { NodeFileCalls } from '../src/fs/node-file-calls.ts'
import { open } from '../src/local.ts'
import type { KvShard } from '../src/engines/kv/kv-shard.ts'
import { loadNative } from '../src/native/load-native.ts'
import { NativeFileCalls } from '../src/native/native-file-calls.ts'
import { SystemClock } from '../src/system-clock.ts'
import type { DeviceFile } from '../src/kernel/device.ts'

const BLOCK = 4096
const FILE_BYTES = 256 * 1024 * 1024
const ROUNDS = 7
const RECORD_BYTES = 160
const GET_KEYS = 60_000

let seed = 1
const addon = loadNative()
if (addon === undefined) throw new Error('there is no addon: npm run build:native')
const directory = fs.mkdtempSync(path.resolve(argv[2] ?? '.', '.measure-'))
const native = new NativeFileCalls(addon, directory, new SystemClock())
try {
  await measureReads()
  await measureSyncs()
  await measurePuts()
  await measureGets()
} finally {
  await native.close()
  fs.rmSync(directory, { recursive: true })
}

async function measureReads(): Promise<void> {
  const name = path.join(directory, 'reads')
  const chunk = Buffer.alloc(1 << 20, 7)
  for (let at = 0; at < FILE_BYTES; at += chunk.length) fs.appendFileSync(name, chunk)
  const descriptor = fs.openSync(name, 'r')
  fs.fsyncSync(descriptor)
  const plain = await new NodeDevice(directory).open('reads', 'read')
  const added = await new NodeDevice(directory, { calls: native }).open('reads', 'read')
  const into = new Uint8Array(BLOCK)
  const buffers = Array.from({ length: 100 }, () => new Uint8Array(BLOCK))
  const hundred = (file: DeviceFile) => async () => {
    await Promise.all(buffers.map((buffer) => file.read(buffer, somewhere())))
  }
  const drop = (): unknown => addon?.dropCache(descriptor)
  await compare('cached, synchronous', 20_000, [
    () => void plain.readSync(into, somewhere()),
    () => void added.readNow(into, somewhere()),
  ])
  await compare('cached, awaited', 3000, [
    async () => void (await plain.read(into, somewhere())),
    async () => void (await added.read(into, somewhere())),
  ])
  await compare('cached, 100 in flight', 50, [hundred(plain), hundred(added)], 100)
  await compare(
    'not cached, awaited',
    500,
    [async () => void (await plain.read(into, somewhere())), async () => void (await added.read(into, somewhere()))],
    1,
    drop,
  )
  await compare('not cached, 100 in flight', 10, [hundred(plain), hundred(added)], 100, drop)
  await plain.close()
  await added.close()
  fs.closeSync(descriptor)
}

/** A write and a sync of the same bytes: by calls that block, through Node's pool, through the addon. */
async function measureSyncs(): Promise<void> {
  const write = writer('syncs')
  const calls = new NodeFileCalls()
  await compareWithLoop('write and sync', write, [
    async () => {
      write.next()
      await calls.sync(write.fd, 'syncs')
    },
    async () => {
      write.next()
      await native.sync(write.fd, 'syncs')
    },
  ])
  fs.closeSync(write.fd)
}

/** One put after the other, each synced, against the loop. */
async function measurePuts(): Promise<void> {
  const write = writer('puts')
  const value = new Uint8Array(100)
  let count = 0
  const key = (): Buffer => keyOf(count++)
  const added = await open(path.join(directory, 'added'))
  env['VARVE_NATIVE'] = '0'
  const plain = await open(path.join(directory, 'plain'))
  await compareWithLoop('synced put', write, [
    () => plain.put(key(), value, { durability: 'synced' }),
    () => added.put(key(), value, { durability: 'synced' }),
  ])
  await plain.close()
  await added.close()
  fs.closeSync(write.fd)
}

/** Reads of a database whose blocks are in the system's cache and not in varve's. */
async function measureGets(): Promise<void> {
  const options = { settings: { cacheBytes: 1 << 20 } }
  const place = path.join(directory, 'gets')
  const filling = await open(place, options)
  const value = Buffer.from(Array.from({ length: 100 }, (_, index) => (index < 50 ? somewhere() >> 12 : 0)))
  for (let start = 0; start < GET_KEYS; start += 1000) {
    await Promise.all(Array.from({ length: 1000 }, (_, index) => filling.put(keyOf(start + index), value)))
  }
  await filling.compactRange()
  await filling.close()
  // Open one after the other: a directory is one owner's.
  for (const [name, steps] of [
    ['get', async (db: KvShard) => void (await db.get(anyKey()))],
    ['get, 100 in flight', async (db: KvShard) => void (await Promise.all(hundredKeys().map((key) => db.get(key))))],
    ['getMany of 100', async (db: KvShard) => void (await db.getMany(hundredKeys()))],
  ] as const) {
    const times = { without: [] as number[], with: [] as number[] }
    const each = name === 'get' ? 1 : 100
    for (let round = 0; round < ROUNDS; round++) {
      for (const kind of ['without', 'with'] as const) {
        env['VARVE_NATIVE'] = kind === 'with' ? '1' : '0'
        const db = await open(place, options)
        for (let count = 0; count < 500; count++) await db.get(anyKey())
        const [time = 0] = await medians(3000 / each, [() => steps(db)], false)
        times[kind].push(time / each)
        await db.close()
      }
    }
    printPair(name, middle(times.without), middle(times.with))
  }
}

/** Appends records to a file that has its length already. */
function writer(name: string): { readonly fd: number; next(): void } {
  const fd = fs.openSync(path.join(directory, name), 'w+')
  const zeros = Buffer.alloc(1 << 20)
  for (let at = 0; at < 16; at++) fs.writeSync(fd, zeros, 0, zeros.length, at * zeros.length)
  fs.fsyncSync(fd)
  const record = new Uint8Array(RECORD_BYTES).fill(5)
  let position = 0
  const next = (): void => {
    fs.writeSync(fd, record, 0, RECORD_BYTES, position)
    position += RECORD_BYTES
  }
  return { fd, next }
}

type Step = () => void | Promise<void>

async function compareWithLoop(
  name: string,
  write: { readonly fd: number; next(): void },
  [plain, added]: readonly [Step, Step],
): Promise<void> {
  const loop = (): void => {
    write.next()
    fs.fdatasyncSync(write.fd)
  }
  const [base, without, with_] = await medians(300, [loop, plain, added], true)
  const share = (value: number | undefined): string => ((base ?? 0) / (value ?? 0)).toFixed(2)
  print(name, [
    `loop ${micro(base)}`,
    `without ${micro(without)} (${share(without)})`,
    `with ${micro(with_)} (${share(with_)})`,
  ])
}

async function compare(
  name: string,
  count: number,
  steps: readonly [Step, Step],
  each = 1,
  before?: () => unknown,
): Promise<void> {
  const [without = 0, with_ = 0] = await medians(count, steps, false, before)
  printPair(name, without / each, with_ / each)
}

function printPair(name: string, without: number, with_: number): void {
  print(name, [`without ${micro(without)}`, `with ${micro(with_)}`, `${(without / with_).toFixed(1)} ×`])
}

/** Of each step over all rounds of `count` calls, in microseconds; of single calls where those take long enough. */
async function medians(
  count: number,
  steps: readonly Step[],
  single: boolean,
  before?: () => unknown,
): Promise<number[]> {
  const times = steps.map((): number[] => [])
  for (let round = 0; round < ROUNDS; round++) {
    for (const [index, step] of steps.entries()) {
      before?.()
      const start = performance.now()
      for (let done = 0; done < count; done++) {
        const begun = performance.now()
        const running = step()
        if (running !== undefined) await running
        if (single) times[index]?.push((performance.now() - begun) * 1000)
      }
      if (!single) times[index]?.push(((performance.now() - start) * 1000) / count)
    }
  }
  return times.map(middle)
}

function middle(values: readonly number[]): number {
  return [...values].sort((first, second) => first - second)[values.length >> 1] ?? 0
}

function keyOf(number: number): Buffer {
  return Buffer.from(String(number).padStart(16, '0'))
}

function anyKey(): Buffer {
  return keyOf((somewhere() / BLOCK) % GET_KEYS)
}

function hundredKeys(): Buffer[] {
  return Array.from({ length: 100 }, anyKey)
}

function somewhere(): number {
  seed = (Math.imul(seed, 1_103_515_245) + 12_345) & 0x7f_ff_ff_ff
  return (seed % (FILE_BYTES / BLOCK)) * BLOCK
}

function micro(value: number | undefined): string {
  return `${(value ?? 0).toFixed(2)} µs`
}

function print(name: string, columns: readonly string[]): void {
  console.log([name.padEnd(28), ...columns.map((column) => column.padEnd(26))].join(''))
}
