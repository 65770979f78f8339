/**
 * Small databases that hold every kind of file, and what they must answer.
 *
 * `closed` was closed in order: no damage to one of its files may go unnoticed. `killed` belongs to a process that died
 * at work, and has its lock still: the writes after the last sync that a later record bears witness of cannot be told
 * from a torn tail, so an answer without some of the last ones is right too, but nothing else. `spilled` has a manifest
 * file beside its head. Two more are `closed` and `killed` with their journal in a log for many shards.
 */

import type { KvShard } from '../../src/engines/kv/kv-shard.ts'
import { SimulatedDevice } from '../../src/testing/simulated-device.ts'
import { openOn, openOnSharedLog } from './composition.ts'
import type { OpenOn } from './composition.ts'
import { imageOf } from './image.ts'
import type { Image } from './image.ts'

/** What a database has at one moment: values by key, in key order. */
export type Content = ReadonlyMap<string, string>

export interface Specimen {
  readonly name: string
  readonly image: Image
  readonly open: OpenOn
  /** The files to damage. */
  readonly paths: readonly string[]
  /** The states that it may be found in, the newest first. */
  readonly contents: readonly Content[]
  /** Every key that was ever written. */
  readonly keys: readonly string[]
  /** Everything that ever was the content of a file, by directory. */
  readonly history: ReadonlyMap<string, readonly Uint8Array[]>
}

type Step = (db: KvShard, model: Map<string, string>) => Promise<void>

const put =
  (key: string, value: string, durability: 'written' | 'synced' = 'written'): Step =>
  async (db, model) => {
    await db.put(Buffer.from(key), Buffer.from(value), { durability })
    model.set(key, value)
  }

const batch =
  (...pairs: readonly (readonly [string, string])[]): Step =>
  async (db, model) => {
    await db.batch(pairs.map(([key, value]) => ({ type: 'put', key: Buffer.from(key), value: Buffer.from(value) })))
    for (const [key, value] of pairs) model.set(key, value)
  }

const remove =
  (key: string): Step =>
  async (db, model) => {
    await db.delete(Buffer.from(key))
    model.delete(key)
  }

const removePrefix =
  (prefix: string): Step =>
  async (db, model) => {
    await db.deleteRange({ prefix: Buffer.from(prefix) })
    for (const key of model.keys()) if (key.startsWith(prefix)) model.delete(key)
  }

const flush: Step = (db) => db.flush()
const settle: Step = (db) => db.settle()
const compact: Step = (db) => db.compactRange()

function nameOf(family: string, index: number): string {
  return `${family}/${String(index).padStart(3, '0')}`
}

/** Values that compress, and some that do not: of the same lengths for every `sign`, which is a character. */
function valueOf(index: number, sign: string): string {
  return index % 3 === 0 ? `${index}${sign}`.repeat(20) : `value ${(index * 2654435761) % 4294967296} ${sign} ${index}`
}

/** Levels, deletions that hide what lies below, range deletions in tables and in the journal. */
function* history(sign: string): Generator<Step> {
  const value = (index: number): string => valueOf(index, sign)
  for (let index = 0; index < 24; index++) yield put(nameOf('a', index), value(index))
  yield compact
  for (let index = 0; index < 4; index++) yield put(nameOf('late', index), value(index + 100))
  yield flush
  yield removePrefix('late/00')
  for (let index = 0; index < 24; index += 7) yield remove(nameOf('a', index))
  yield batch([nameOf('b', 1), value(1)], [nameOf('b', 2), value(2)], [nameOf('b', 3), value(3)])
  yield flush
  yield put(nameOf('b', 4), value(4))
  yield flush
  yield settle
}

/** What is only in the journal. */
function* tail(sign: string): Generator<Step> {
  const value = (index: number): string => valueOf(index, sign)
  for (let index = 1; index < 24; index += 11) yield put(nameOf('a', index), value(index + 200), 'synced')
  yield removePrefix('b/00')
  yield batch([nameOf('c', 1), value(1)], [nameOf('c', 2), value(2)])
}

const atWork = (sign: string): readonly Step[] => [
  put('d/1', `one${sign}`, 'synced'),
  put('d/2', `two${sign}`),
  put('d/3', `three${sign}`),
  removePrefix('a/00'),
  put('d/4', `four${sign}`),
]

/** Of a recipe by which any number of databases can be made, that have other values and other chance, and nothing else. */
export interface Recipe {
  /** In every value; one character. */
  readonly sign: string
  /** Of chance. */
  readonly seed: number
}

const RECIPE: Recipe = { sign: '-', seed: 0 }

export async function makeSpecimens(recipe = RECIPE): Promise<readonly Specimen[]> {
  return [
    await closedSpecimen('closed', recipe, openOn),
    await killedSpecimen('killed', recipe, openOn),
    await spilledSpecimen(recipe),
  ]
}

/** Of which the log alone is damaged: what else there is, the others have. */
export async function makeSharedLogSpecimens(recipe = RECIPE): Promise<readonly Specimen[]> {
  return [
    await closedSpecimen('closed over a shared log', recipe, openOnSharedLog, /^log|^state/),
    await killedSpecimen('killed over a shared log', recipe, openOnSharedLog, /^log|^state/),
  ]
}

async function closedSpecimen(name: string, recipe: Recipe, open: OpenOn, damaged?: RegExp): Promise<Specimen> {
  const { sign, seed } = recipe
  const run = new SpecimenRun(seed, open)
  await run.open()
  await run.take(history(sign))
  await run.reopen()
  await run.take(tail(sign))
  await run.close()
  return run.specimen(name, 0, damaged)
}

async function killedSpecimen(name: string, recipe: Recipe, open: OpenOn, damaged?: RegExp): Promise<Specimen> {
  const { sign, seed } = recipe
  const work = atWork(sign)
  const run = new SpecimenRun(seed, open)
  await run.open()
  await run.take(history(sign))
  await run.reopen()
  await run.take(tail(sign))
  await run.reopen()
  await run.take(work)
  // Since `d/1`, which was synced, and which the record after it bears witness of.
  return run.specimen(name, work.length - 1, damaged)
}

/** With keys so long that the edits outgrow the head. */
async function spilledSpecimen({ sign, seed }: Recipe): Promise<Specimen> {
  const run = new SpecimenRun(seed, openOn)
  await run.open()
  for (let index = 0; index < 6; index++) {
    await run.take([put(`${nameOf('long', index)}${'k'.repeat(1000)}`, valueOf(index, sign)), flush])
  }
  await run.close()
  // Tables and journals are damaged in the other two.
  return run.specimen('spilled', 0, /^heads|\.manifest$/)
}

class SpecimenRun {
  readonly #device = new SimulatedDevice()
  readonly #model = new Map<string, string>()
  readonly #contents: Content[] = [new Map()]
  readonly #keys = new Set<string>()
  readonly #history = new Map<string, Map<string, Uint8Array>>()
  #db: KvShard | undefined
  #process = 0
  readonly #seed: number
  readonly #open: OpenOn

  constructor(seed: number, open: OpenOn) {
    this.#seed = seed
    this.#open = open
  }

  async open(): Promise<void> {
    this.#db = await this.#open(this.#device, ++this.#process, this.#seed + this.#process)
    this.#note()
  }

  async close(): Promise<void> {
    await this.#db?.close()
    this.#note()
  }

  async reopen(): Promise<void> {
    await this.close()
    await this.open()
  }

  async take(steps: Iterable<Step>): Promise<void> {
    for (const step of steps) {
      await step(this.#db as KvShard, this.#model)
      this.#contents.push(new Map([...this.#model].sort(([a], [b]) => (a < b ? -1 : 1))))
      for (const key of this.#model.keys()) this.#keys.add(key)
      this.#note()
    }
  }

  /** @param uncertain steps at the end that may be missing */
  specimen(title: string, uncertain: number, damaged = /./): Specimen {
    const image = imageOf(this.#device)
    return {
      name: title,
      image,
      open: this.#open,
      paths: [...image.keys()].filter((path) => damaged.test(path)),
      contents: this.#contents.slice(-1 - uncertain).reverse(),
      keys: [...this.#keys, 'nothing'].sort(),
      history: new Map([...this.#history].map(([directory, contents]) => [directory, [...contents.values()]])),
    }
  }

  #note(): void {
    for (const [path, bytes] of imageOf(this.#device)) {
      const directory = path.slice(0, path.lastIndexOf('/') + 1)
      const contents = this.#history.get(directory) ?? new Map<string, Uint8Array>()
      contents.set(Buffer.from(bytes).toString('latin1'), bytes)
      this.#history.set(directory, contents)
    }
  }
}
