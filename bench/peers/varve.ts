/** varve itself, in several compositions, from its built package. */

import { existsSync } from 'node:fs'
import { arch, env, platform } from 'node:process'
import type * as Varve from 'varve'
import type { KvOpenOptions, KvShard } from 'varve'
import type * as Fs from 'varve/fs'
import type * as Jobs from 'varve/jobs'
import type * as Journal from 'varve/journal'
import type * as Kernel from 'varve/kernel'
import type { Clock, Random } from 'varve/kernel'
import type { Peer, ScanRequest, Store, Value, Visit } from './peer.ts'

const SUPPORTS = Object.freeze({ written: true, synced: true, getSync: true, getMany: true, deleteRange: true })
const SCAN_CHUNK = 1000

export interface VarveComposition {
  readonly name: string
  /** Folder of the built package: two builds can be compared in one run. */
  readonly dist: URL
  readonly place: 'local' | 'memory'
  readonly settings?: KvOpenOptions['settings']
  readonly jobs?: 'threads' | 'inline'
  /** Said with the settings. */
  readonly note: string
}

export function varvePeer(composition: VarveComposition): Peer {
  const { name, place } = composition
  return {
    name,
    supports: place === 'local' ? SUPPORTS : { ...SUPPORTS, written: false },
    persists: place === 'local',
    settings: () => ({
      place,
      note: composition.note,
      addon: env['VARVE_NATIVE'] !== '0' && existsSync(new URL(`native/${platform}-${arch}.node`, composition.dist)),
      ...(composition.jobs === undefined ? {} : { jobs: composition.jobs }),
      ...composition.settings,
    }),
    open: async (directory) =>
      new VarveStore(await (place === 'local' ? openLocal(directory, composition) : openMemory(composition))),
  }
}

async function openLocal(directory: string, composition: VarveComposition): Promise<KvShard> {
  const { open } = await load<typeof Varve>(composition.dist, 'index.js')
  const { settings, jobs } = composition
  return open(directory, {
    ...(settings === undefined ? {} : { settings }),
    ...(jobs === undefined ? {} : { jobs }),
  })
}

async function openMemory({ dist, settings }: VarveComposition): Promise<KvShard> {
  const { openKv, KV_HANDLERS } = await load<typeof Varve>(dist, 'index.js')
  const { MemoryFileStore, MemoryHeadStore } = await load<typeof Fs>(dist, 'fs/index.js')
  const { MemoryJournalSystem } = await load<typeof Journal>(dist, 'journal/index.js')
  const { HandlerTable, InlineScheduler } = await load<typeof Jobs>(dist, 'jobs/index.js')
  const { loadHash, shardId } = await load<typeof Kernel>(dist, 'kernel/index.js')
  const { SystemClock } = await load<{ readonly SystemClock: new () => Clock }>(dist, 'system-clock.js')
  const { SystemRandom } = await load<{ readonly SystemRandom: new () => Random }>(dist, 'system-random.js')
  const [clock, random, hash] = [new SystemClock(), new SystemRandom(), await loadHash()]
  const files = new MemoryFileStore({ hash })
  const modules = Object.entries(KV_HANDLERS).map(([name, { module }]) => [name, module] as const)
  const handlers = new HandlerTable(Object.fromEntries(modules))
  const components = {
    shard: shardId('main'),
    files,
    heads: new MemoryHeadStore(),
    journal: new MemoryJournalSystem(),
    jobs: new InlineScheduler({ files, hash, clock, handlers }),
    clock,
    random,
    hash,
  }
  return openKv(components, settings === undefined ? {} : { settings })
}

async function load<Module>(dist: URL, path: string): Promise<Module> {
  return (await import(new URL(path, dist).href)) as Module
}

class VarveStore implements Store {
  readonly #db: KvShard

  constructor(db: KvShard) {
    this.#db = db
  }

  put(key: Uint8Array, value: Uint8Array): Promise<void> {
    return this.#db.put(key, value)
  }

  putSynced(key: Uint8Array, value: Uint8Array): Promise<void> {
    return this.#db.put(key, value, { durability: 'synced' })
  }

  batch(keys: readonly Uint8Array[], values: readonly Uint8Array[], start: number, limit: number): Promise<void> {
    const operations = []
    for (let at = start; at < limit; at++) {
      operations.push({ type: 'put' as const, key: keys[at] as Uint8Array, value: values[at] as Uint8Array })
    }
    return this.#db.batch(operations)
  }

  get(key: Uint8Array): Promise<Value> {
    return this.#db.get(key)
  }

  getSync(key: Uint8Array): Value {
    return this.#db.getSync(key)
  }

  getMany(keys: readonly Uint8Array[]): Promise<readonly Value[]> {
    return this.#db.getMany(keys)
  }

  async scan({ from, reverse, limit }: ScanRequest, visit: Visit): Promise<void> {
    const bound = from === undefined ? {} : reverse ? { lte: from } : { gte: from }
    const scan = this.#db.scan({ ...bound, reverse, ...(limit === Infinity ? {} : { limit }) })
    try {
      for (let left = limit; left > 0;) {
        const entries = await scan.next(Math.min(left, SCAN_CHUNK))
        if (entries.length === 0) return
        for (const { key, value } of entries) visit(key, value)
        left -= entries.length
      }
    } finally {
      scan.close()
    }
  }

  deleteRange(start: Uint8Array, limit: Uint8Array): Promise<void> {
    return this.#db.deleteRange({ gte: start, lt: limit })
  }

  async compact(): Promise<void> {
    await this.#db.flush()
    await this.#db.compactRange()
    await this.#db.settle()
  }

  close(): Promise<void> {
    return this.#db.close()
  }
}
