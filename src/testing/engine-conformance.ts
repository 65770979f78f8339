/**
 * What every engine of the generic shard promises, as tests: whatever is flushed, compacted, lost, repeated, cloned or
 * taken over, readers see every operation once.
 *
 * An engine whose operations add something up is the sharper test: applied twice, a counter tells.
 */

import assert from 'node:assert/strict'
import { VarveError, isCode } from '../kernel/errors.ts'
import { loadHash } from '../kernel/hash.ts'
import { shardId } from '../kernel/ids.ts'
import { MemoryFileStore } from '../fs/memory-file-store.ts'
import { MemoryHeadStore } from '../fs/memory-head-store.ts'
import { testPromise } from './conformance-suite.ts'
import { EngineBench, OPERATIONS } from './engine-bench.ts'
import type { EngineSuite, EngineUnderTest } from './engine-bench.ts'
import { ForgetfulScheduler } from './forgetful-scheduler.ts'
import type { CrashPolicy } from './simulated-device.ts'

const CRASH_POLICIES: readonly CrashPolicy[] = [
  { data: 'none', names: 'none' },
  { data: 'all', names: 'none' },
  { data: 'none', names: 'all' },
  { data: 'some', names: 'some' },
]

const ANSWERS_LOST_MAX = 30
const EXCHANGES_MAX = 30

/** A test for each promise of an engine, over a shard on a simulated disk, or over what `suite.compose` puts in its place. */
export function testEngine(suite: EngineSuite): void {
  function promise(name: string, body: (bench: EngineBench) => Promise<void>): void {
    testPromise(suite, name, async () => {
      const bench = new EngineBench(suite, await loadHash(), 1)
      try {
        await bench.watch(body(bench))
      } finally {
        await bench.close()
      }
    })
  }

  promise('what was written is read from memory, from flushed files and from compacted ones', async (bench) => {
    const session = await bench.open()
    await session.check('an empty shard has no content')
    await session.write(0, 1)
    await session.check('an operation is seen once its promise has resolved')
    for (let first = 1; first < OPERATIONS; first += 29) {
      await session.write(first, Math.min(first + 29, OPERATIONS))
      await session.check('flushes and compactions in the background change nothing for readers')
    }
    await session.engine.shard.flush()
    await session.check('what is in files alone is all there')
    await session.engine.shard.settle()
    await session.check('what was compacted is all there')
    const { flushes, compactions } = session.engine.shard.statistics()
    assert.ok(flushes > 2 && compactions > 0, `settings too large to test anything: ${flushes} flushes, ${compactions}`)
  })

  promise('operations of one turn are decoded one after the other when the journal is replayed', async (bench) => {
    const session = await bench.open()
    const writes = Array.from({ length: 20 }, (_, number) => session.engine.write(number, 'written'))
    await Promise.all(writes)
    session.written.push(...writes.keys())
    await session.check('operations of one turn apply in the order of the calls')
    await session.close()
    await (await bench.open(session.written)).check('decode reads exactly what encode wrote')
  })

  promise('a shard that was closed is found as it was, however often it is opened', async (bench) => {
    let written: readonly number[] = []
    for (let first = 0; first < OPERATIONS; first += 48) {
      const session = await bench.open(written)
      await session.check('nothing is lost and nothing applied twice')
      await session.write(first, first + 48)
      await session.close()
      written = session.written
    }
    await (await bench.open(written)).check('nothing is lost and nothing applied twice')
  })

  promise('a killed process loses nothing that was written', async (bench) => {
    let written: readonly number[] = []
    for (let first = 0; first < OPERATIONS; first += 31) {
      const session = await bench.open(written)
      await session.check('what was in files and what was in the journal add up')
      await session.write(first, first + 31)
      bench.continueOn(bench.device.kill())
      written = session.written
    }
  })

  promise('a power cut loses nothing that was synced, and no operation from the middle', async (bench) => {
    let written: readonly number[] = []
    for (let first = 0; first < OPERATIONS; first += 20) {
      const session = await bench.open(written)
      await session.write(first, first + 10, 'synced')
      const synced = session.written.length
      await session.write(first + 10, first + 20)
      const policy = CRASH_POLICIES[bench.random.below(CRASH_POLICIES.length)] as CrashPolicy
      bench.continueOn(bench.device.crash(policy, bench.random.u32()))
      const found = await (await bench.open()).engine.content()
      let count = session.written.length
      while (count >= synced && suite.expected(session.written.slice(0, count)) !== found) count--
      assert.ok(count >= synced, 'the content is none that the shard ever had after the last sync')
      bench.continueOn(bench.device.kill())
      written = session.written.slice(0, count)
    }
  })

  promise('a second owner has everything, and the first can write no more', async (bench) => {
    const first = await bench.open()
    await first.write(0, 50)
    const second = await bench.open(first.written)
    await second.check('the new owner has what the old one acknowledged')
    const fenced = (error: unknown): boolean => isCode(error, 'FENCED')
    await assert.rejects(first.engine.write(1000, 'written'), fenced, 'a fenced owner acknowledges nothing')
    await assert.rejects(first.engine.shard.flush(), fenced, 'a fenced owner commits nothing')
    await second.write(50, OPERATIONS)
    await second.engine.shard.settle()
    await second.check('nothing of the fenced owner appears')
    await second.close()
    await (await bench.open(second.written)).check('nothing of the fenced owner appears later')
  })

  promise('a snapshot shows its moment, whatever is written, flushed and compacted after it', async (bench) => {
    const session = await bench.open()
    await session.write(0, 70)
    const expected = suite.expected(session.written)
    const snapshot = await session.engine.snapshot()
    await session.write(70, 75)
    // Again: a memtable that keeps only the newest of each has nothing left for the snapshot.
    await session.write(60, 70)
    assert.equal(await snapshot.content(), expected, 'later writes are not in it')
    await session.write(75, OPERATIONS)
    await session.engine.shard.flush()
    await session.engine.shard.settle()
    assert.equal(await snapshot.content(), expected, 'its files and memory stay while it is open')
    await session.check('the shard itself went on')
    snapshot.close()
  })

  promise('a job whose answer is lost is done again without harm', async (bench) => {
    let forgotten = 0
    // The first answer, and then a third of them by chance, up to a point: a change may have several jobs, and needs all.
    const forgets = (): boolean =>
      (forgotten === 0 || (forgotten < ANSWERS_LOST_MAX && bench.random.below(3) === 0)) && ++forgotten > 0
    const session = await bench.open([], { wrap: (jobs) => new ForgetfulScheduler(jobs, forgets) })
    await bench.within(session.write(0, OPERATIONS))
    await bench.within(untilDone(session.engine.shard, bench))
    await session.check('what the lost attempt wrote is counted nowhere')
    assert.ok(forgotten > 2, 'answers were lost')
    await session.close()
    await (await bench.open(session.written)).check('nor after reopening')
  })

  promise('a flush whose job fails says so at once, and the next one succeeds', async (bench) => {
    let fails = true
    const session = await bench.open([], { wrap: (jobs) => new ForgetfulScheduler(jobs, () => fails) })
    await session.write(0, 3)
    const failed = (error: unknown): boolean => isCode(error, 'JOB_FAILED')
    await assert.rejects(session.engine.shard.flush(), failed, 'the clock stands still, and flush does not wait for it')
    await session.check('what could not be flushed is still in memory')
    fails = false
    await bench.within(untilDone(session.engine.shard, bench))
    await session.check('what is flushed later is counted once')
  })

  promise('a clone starts with what its origin has, and each goes its own way', async (bench) => {
    const origin = await bench.open()
    await origin.write(0, 100)
    await origin.engine.shard.clone(shardId('clone'))
    const clone = await bench.open(origin.written, { shard: 'clone' })
    await clone.check('a clone has all of its origin')
    await origin.write(100, 100 + OPERATIONS)
    await clone.write(500, 500 + OPERATIONS)
    await origin.engine.shard.settle()
    await clone.engine.shard.settle()
    await origin.check('the clone changes nothing here')
    await clone.check('the origin changes nothing there, and removes no file that the clone needs')
    await clone.close()
    await (await bench.open(clone.written, { shard: 'clone' })).check('a clone is found as it was')
  })

  promise('a checkpoint opens elsewhere with what the shard had', async (bench) => {
    const session = await bench.open()
    await session.write(0, 100)
    const place = { files: new MemoryFileStore({ hash: bench.hash }), heads: new MemoryHeadStore() }
    await session.engine.shard.checkpoint(bench.placed(place))
    await session.write(100, 110)
    const copy = await bench.open(session.written.slice(0, 100), { place })
    await copy.check('a checkpoint has all of the shard, and nothing that came after')
    await copy.write(200, 200 + OPERATIONS)
    await copy.check('a checkpoint can be written to')
  })

  promise('a file in the place of another is told as damage, and never answered from', async (bench) => {
    const seen = new Map<string, Uint8Array>()
    let written: readonly number[] = []
    let exchanges = 0
    // Small files, of one operation each, are often of one length: only those pass for each other at first sight.
    for (let number = 0; number < 40 && exchanges < EXCHANGES_MAX; number++) {
      const session = await bench.open(written)
      await session.write(number, number + 1)
      await session.engine.shard.flush()
      await session.close()
      written = session.written
      const present = filesOf(bench)
      for (const path of present) seen.set(path, bytesOf(bench, path))
      for (const path of present) {
        const own = seen.get(path) as Uint8Array
        const other = [...seen].find(([name, bytes]) => isTwin(name, bytes, path, own))
        // An opening may have compacted it away.
        if (other === undefined || !filesOf(bench).includes(path)) continue
        const inode = bench.device.inode(path)
        inode.write([other[1]], 0)
        const found = await contentIfWhole(bench)
        const what = `${path} has the bytes of ${other[0]}`
        if (found instanceof VarveError) assert.equal(found.kind, 'corrupt', `${what}: ${found.message}`)
        else assert.equal(found, suite.expected(written), `${what}: is a checksum seeded with the name of the file?`)
        inode.write([own], 0)
        exchanges++
      }
    }
  })

  promise('a damaged file is told as damage, and never answered from', async (bench) => {
    const session = await bench.open()
    await session.write(0, OPERATIONS)
    await session.engine.shard.flush()
    await session.engine.shard.settle()
    await session.close()
    const expected = suite.expected(session.written)
    const paths = filesOf(bench)
    assert.ok(paths.length > 0, 'a flushed shard has files')
    for (const path of paths) {
      if (!filesOf(bench).includes(path)) continue // As above.
      const inode = bench.device.inode(path)
      for (let position = 0; position < inode.length; position += 1 + (inode.length >> 3)) {
        inode.flipBit(position, position % 8)
        const found = await contentIfWhole(bench)
        if (found instanceof VarveError) assert.equal(found.kind, 'corrupt', `${path} at ${position}: ${found.message}`)
        else assert.equal(found, expected, `a flipped bit in ${path} at ${position} changed an answer`)
        inode.flipBit(position, position % 8)
      }
    }
  })
}

/** Flushes and compacts, as often as it takes while jobs fail, and wait for longer and longer before they are tried again. */
async function untilDone(shard: EngineUnderTest['shard'], { clock }: EngineBench): Promise<void> {
  for (;;) {
    try {
      await shard.flush()
      await shard.settle()
      return
    } catch (error) {
      if (!isCode(error, 'JOB_FAILED')) throw error
      await clock.turn()
    }
  }
}

/** Of the engine: manifests are the shard's. */
function filesOf({ device }: EngineBench): readonly string[] {
  return device.files().filter((path) => path.startsWith('files/') && !path.endsWith('.manifest'))
}

function bytesOf({ device }: EngineBench, path: string): Uint8Array {
  const inode = device.inode(path)
  const bytes = new Uint8Array(inode.length)
  inode.read(bytes, 0)
  return bytes
}

/** Another file of the same kind and length, with other bytes. */
function isTwin(name: string, bytes: Uint8Array, path: string, own: Uint8Array): boolean {
  const kindOf = (each: string): string => each.slice(each.lastIndexOf('.'))
  return (
    name !== path && kindOf(name) === kindOf(path) && bytes.length === own.length && !Buffer.from(own).equals(bytes)
  )
}

/** What the shard on the disk holds, or why it cannot be told. */
async function contentIfWhole(bench: EngineBench): Promise<unknown> {
  try {
    const session = await bench.open()
    try {
      return await session.engine.content()
    } finally {
      await session.close()
    }
  } catch (error) {
    return error
  }
}
