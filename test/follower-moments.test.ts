/** What a follower goes on showing while the owner's files change around what it has in memory, and while somebody reads a moment. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { followKv } from '../src/engines/kv/follow-kv.ts'
import type { KvFollower } from '../src/engines/kv/follow-kv.ts'
import type { KvShard } from '../src/engines/kv/kv-shard.ts'
import type { KvComponents } from '../src/engines/kv/open-kv.ts'
import type { KvSnapshot } from '../src/engines/kv/kv.ts'
import type { JobScheduler } from '../src/jobs/jobs.ts'
import { Simulation, TINY_SETTINGS } from './simulation.ts'

// Whatever is flushed stays where it is until it is asked for.
const SETTINGS = { ...TINY_SETTINGS, level0Files: 100, level0FilesStop: 200 }

async function contentOf(db: KvShard, snapshot?: KvSnapshot): Promise<readonly string[]> {
  const found: string[] = []
  for await (const { key, value } of db.scan(snapshot === undefined ? {} : { snapshot }))
    found.push(`${String(Buffer.from(key))}=${String(Buffer.from(value))}`)
  return found
}

function put(db: KvShard, key: string, value: string): Promise<unknown> {
  return db.put(Buffer.from(key), Buffer.from(value))
}

/** The answers of rewrites, but not of flushes, wait for `gate`. */
function heldBack(inner: JobScheduler, gate: Promise<void>): JobScheduler {
  return new Proxy(inner, {
    get(target, name) {
      if (name === 'submit')
        return (...[spec]: Parameters<JobScheduler['submit']>) => {
          const handle = target.submit(spec)
          return spec.handler.export === 'flush'
            ? handle
            : { ...handle, result: handle.result.then((answer) => gate.then(() => answer)) }
        }
      const value: unknown = Reflect.get(target, name)
      return typeof value === 'function' ? (value.bind(target) as unknown) : value
    },
  })
}

async function started(compose: (parts: KvComponents) => KvComponents): Promise<[Simulation, KvFollower]> {
  const simulation = new Simulation(1, SETTINGS)
  let parts: KvComponents | undefined
  simulation.composer = { compose: (given) => compose((parts = given)) }
  await simulation.open()
  assert.ok(parts !== undefined)
  const follower = await followKv({ ...parts, close: () => Promise.resolve() }, { settings: SETTINGS, pin: 'reader' })
  return [simulation, follower]
}

/** A moment that somebody asks for when a refresh has looked at the head and is about to look at the journal. */
async function snapshotWithinRefresh(simulation: Simulation, follower: KvFollower): Promise<KvSnapshot> {
  let snapshot: KvSnapshot | undefined
  simulation.beforeOperation = ({ path }) => {
    if (path.startsWith('journal')) snapshot ??= follower.db.snapshot()
  }
  await follower.refresh()
  simulation.beforeOperation = () => {}
  assert.ok(snapshot !== undefined)
  return snapshot
}

test('what a follower has in memory stays there where the owner only rewrites files', async () => {
  let open = (): void => {}
  const gate = new Promise<void>((resolve) => (open = resolve))
  const [simulation, follower] = await started((parts) => ({ ...parts, jobs: heldBack(parts.jobs, gate) }))
  const { db } = simulation
  for (const [key, value] of ['a1', 'a2', 'b1']) {
    await put(db, key as string, value as string)
    await db.flush()
  }
  const compacting = db.compactRange()
  await put(db, 'c', '1')
  await follower.refresh()
  assert.deepEqual(await contentOf(follower.db), ['a=2', 'b=1', 'c=1'])
  const files = follower.db.statistics().levels.length
  open()
  await compacting
  // Not while somebody reads a moment: then nothing of it changes.
  const snapshot = await snapshotWithinRefresh(simulation, follower)
  assert.equal(follower.state.held, true)
  assert.deepEqual(await contentOf(follower.db, snapshot), ['a=2', 'b=1', 'c=1'])
  assert.equal(follower.db.statistics().levels.length, files)
  snapshot.close()
  await follower.refresh()
  assert.notEqual(follower.db.statistics().levels.length, files, 'the files have changed')
  assert.deepEqual(await contentOf(follower.db), ['a=2', 'b=1', 'c=1'])
  await put(db, 'd', '1')
  await follower.refresh()
  assert.deepEqual(await contentOf(follower.db), ['a=2', 'b=1', 'c=1', 'd=1'])
  await follower.close()
  await simulation.stop()
})

for (const flushed of [false, true]) {
  const what = flushed ? 'with what was in memory in files' : 'with more in memory'
  test(`a moment that is asked for while a follower refreshes, ${what}, is read as it was, and the next refresh goes on`, async () => {
    const [simulation, follower] = await started((parts) => parts)
    const { db } = simulation
    await put(db, 'a', '1')
    await follower.refresh()
    await put(db, 'a', '2')
    if (flushed) await db.flush()
    const snapshot = await snapshotWithinRefresh(simulation, follower)
    assert.equal(follower.state.held, flushed)
    assert.deepEqual(await contentOf(follower.db, snapshot), ['a=1'])
    assert.deepEqual(await contentOf(follower.db), [flushed ? 'a=1' : 'a=2'])
    snapshot.close()
    assert.equal((await follower.refresh()).held, false)
    assert.deepEqual(await contentOf(follower.db), ['a=2'])
    await follower.close()
    await simulation.stop()
  })
}
