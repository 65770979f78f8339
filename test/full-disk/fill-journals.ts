/**
 * Fills the file system at the path given with the journals of two shards, whose files are elsewhere, again and again, while
 * a third waits that has most of it; lets somebody else fill it, and kills the service. Ends with 0 when all went well.
 *
 * Memtables are larger than the disk: none is ever flushed for being full.
 */

import assert from 'node:assert/strict'
import { closeSync, mkdtempSync, openSync, rmSync, statfsSync, unlinkSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import * as kvJobs from '../../src/engines/kv/jobs.ts'
import type { KvShard } from '../../src/engines/kv/kv-shard.ts'
import { openKv } from '../../src/engines/kv/open-kv.ts'
import { MemoryFileStore } from '../../src/fs/memory-file-store.ts'
import { MemoryHeadStore } from '../../src/fs/memory-head-store.ts'
import { HandlerTable } from '../../src/jobs/handler-table.ts'
import { InlineScheduler } from '../../src/jobs/inline-scheduler.ts'
import { RemoteJournalSystem } from '../../src/journal/remote/remote-journal-system.ts'
import { isCode } from '../../src/kernel/errors.ts'
import { loadHash } from '../../src/kernel/hash.ts'
import { shardId } from '../../src/kernel/ids.ts'
import { KIB, MIB } from '../../src/kernel/limits.ts'
import { RpcClient } from '../../src/rpc/client.ts'
import { dialSocket } from '../../src/rpc/socket-transport.ts'
import { SystemClock } from '../../src/system-clock.ts'
import { SystemRandom } from '../../src/system-random.ts'
import { start } from '../cli/varve-process.ts'

const ROUNDS = 12
const PATIENCE_MS = 120_000
// 18 of 24 MiB.
const QUIET_PUTS = 4_600
const [, , place = '', ...words] = process.argv
const [clock, random, hash] = [new SystemClock(), new SystemRandom(), await loadHash()]
const handlers = new HandlerTable({ 'varve/kv/jobs': kvJobs })
const scratch = mkdtempSync(join(tmpdir(), 'varve-full-journals-'))
const address = `unix:${join(scratch, 'socket')}`
const value = Buffer.alloc(4 * KIB, 'v')

class Shard {
  readonly name: string
  readonly #parts = { files: new MemoryFileStore({ hash }), heads: new MemoryHeadStore() }
  readonly #model = new Set<number>()
  #next = 0
  #db!: KvShard
  #client!: RpcClient

  constructor(name: string) {
    this.name = name
  }

  get size(): number {
    return this.#model.size
  }

  async open(): Promise<void> {
    const { files, heads } = this.#parts
    this.#client = new RpcClient({ dial: dialSocket(address), clock, hash, random })
    const jobs = new InlineScheduler({ files, hash, clock, handlers })
    const journal = await RemoteJournalSystem.connect({ client: this.#client, random, resumeMs: 2_000 })
    this.#db = await openKv({ shard: shardId(this.name), files, heads, journal, jobs, clock, random, hash })
  }

  /** False where there was no space. What somebody may have written counts as not written only if it is not there. */
  async put(): Promise<boolean> {
    const index = this.#next++
    try {
      await this.#db.put(keyOf(index), value, { durability: index % 8 === 0 ? 'synced' : 'written' })
      this.#model.add(index)
      return true
    } catch (error) {
      if (!isCode(error, 'NO_SPACE')) throw error
      return false
    }
  }

  async check(): Promise<void> {
    let count = 0
    for await (const { key } of this.#db.scan({ values: false })) {
      assert.ok(this.#model.has(Number(Buffer.from(key).toString().slice(4))), `${this.name} has what was refused`)
      count++
    }
    assert.equal(count, this.#model.size, `${this.name} has lost something`)
  }

  /** Deletes what is in files, in one operation. */
  async clear(): Promise<void> {
    await this.#db.deleteRange({})
    this.#model.clear()
  }

  async close(): Promise<void> {
    await this.#db.close().catch(() => undefined)
    await this.#client.close()
  }
}

function keyOf(index: number): Uint8Array {
  return Buffer.from(`key ${String(index).padStart(9, '0')}`)
}

async function serve(): Promise<ReturnType<typeof start>> {
  const server = start(['serve', '--journal', join(place, 'j'), ...words, '--listen', address], { cwd: scratch })
  await server.prints('listening on ')
  return server
}

/**
 * Most of the disk is this shard's, and it waits: the others can never make room without it. The disk may have been half
 * full of what others have not flushed; who is refused flushes, too, so it begins anew.
 */
async function occupy(shard: Shard): Promise<void> {
  for (let attempt = 0; attempt < 10; attempt++) {
    let count = 0
    while (count < QUIET_PUTS && (await shard.put())) count++
    if (count === QUIET_PUTS) return
    await resume([shard])
  }
  assert.fail(`${shard.name} never has ${QUIET_PUTS} values on the disk`)
}

/** Until the disk is full for one of them. */
async function fill(shards: readonly Shard[]): Promise<number> {
  for (let count = 0; ; count++) {
    for (const shard of shards) if (!(await shard.put())) return count
    assert.ok(count < 50_000, 'the disk is never full')
  }
}

/** All of them write until each has been heard; nobody opens anything. */
async function resume(shards: readonly Shard[]): Promise<number> {
  const begin = performance.now()
  for (const refused = new Set(shards); refused.size > 0; await sleep(20)) {
    for (const shard of shards) if (await shard.put()) refused.delete(shard)
    assert.ok(performance.now() - begin < PATIENCE_MS, 'the disk was full for two minutes')
  }
  return Math.round(performance.now() - begin)
}

/** Somebody else takes all that is left. */
function takeAll(path: string): void {
  const file = openSync(path, 'w')
  try {
    for (let bytes = 1 * MIB; bytes >= 1; bytes = bytes > 1 ? Math.floor(bytes / 2) : 0)
      for (;;)
        try {
          if (writeSync(file, Buffer.alloc(bytes, 1)) < bytes) break
        } catch (error) {
          if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error
          break
        }
  } finally {
    closeSync(file)
  }
}

let server = await serve()
try {
  const shards = [new Shard('one'), new Shard('two')]
  const quiet = new Shard('quiet')
  const all = [...shards, quiet]
  for (const shard of all) await shard.open()
  for (let round = 0; round < ROUNDS; round++) {
    const occupied = round % 2 === 0
    if (occupied) await occupy(quiet)
    const fitted = await fill(shards)
    // What is left beside that shard and the reserve may be less than a segment: one that is to be dropped takes it.
    assert.ok(occupied || fitted > 100, `round ${round}: only ${fitted} puts of each fitted`)
    const resumedMs = await resume(shards)
    for (const shard of all) await shard.check()
    let note = ''
    if (round % 3 === 2) {
      takeAll(join(place, 'hog'))
      const { bavail, bsize } = statfsSync(place)
      assert.ok(bavail * bsize < 4 * KIB)
      server.signal('SIGKILL')
      await server.ended
      for (const shard of all) await shard.close()
      server = await serve()
      for (const shard of all) {
        await shard.open()
        await shard.check()
        await shard.put()
        await shard.check()
      }
      // Some fitted where there was a little room left: in the end none does.
      for (let tries = 0; tries < 100; tries++) for (const shard of shards) await shard.put()
      for (const shard of all) await shard.check()
      unlinkSync(join(place, 'hog'))
      note = `; killed on a full disk, and again after ${await resume(shards)} ms`
      for (const shard of all) await shard.clear()
    }
    process.stdout.write(`round ${round}: ${fitted} puts of each, writes again after ${resumedMs} ms${note}\n`)
  }
  for (const shard of all) await shard.close()
  for (const shard of all) await shard.open()
  for (const shard of all) await shard.check()
  for (const shard of all) await shard.close()
  process.stdout.write(`${ROUNDS} rounds\n`)
} finally {
  server.signal('SIGTERM')
  const { code, errors } = await server.ended
  if (code !== 0) process.stdout.write(`the service ended with ${code}: ${errors}\n`)
  rmSync(scratch, { recursive: true })
}
