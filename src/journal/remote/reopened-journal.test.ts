/** Owners whose service does not know their journal any more: it was started anew, or has let go of it. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { JournalPlace, localJournals } from '../../../test/journal/journal-place.ts'
import { loadHash } from '../../kernel/hash.ts'
import { POSITION_ZERO, epoch, journalPosition, shardId } from '../../kernel/ids.ts'
import { MemoryStateKeeper } from '../../testing/memory-state-keeper.ts'
import { SeededRandom } from '../../testing/seeded-random.ts'
import { SimulatedDevice } from '../../testing/simulated-device.ts'
import type { Journal, JournalStateKeeper, JournalSystem } from '../journal.ts'
import { LocalJournalSystem } from '../local-journal-system.ts'
import { MemoryJournalStorage, MemoryJournalSystem } from '../memory-journal.ts'
import { SharedJournalSystem } from '../shared-journal-system.ts'

const hash = await loadHash()
const SHARD = shardId('main')
// Longer than a service waits for a client.
const AWAY_MS = 600_001

const SYSTEMS: Readonly<Record<string, () => Promise<JournalSystem>>> = {
  'a log for each shard': async () => localJournals(),
  'one log for all shards': async () => {
    const device = new SimulatedDevice()
    const below = new LocalJournalSystem({ device, directory: 'journal', hash, random: new SeededRandom(1) })
    return SharedJournalSystem.open(await below.open(shardId('shared'), epoch(1), new MemoryStateKeeper()))
  },
  'a log in memory': async () => new MemoryJournalSystem(),
}

async function contentOf(journal: Journal, from = POSITION_ZERO): Promise<readonly number[]> {
  const found: number[] = []
  await journal.replay(from, (payload) => void found.push(...payload))
  return found
}

/** The same, whose appends are not answered while `held`. */
function holdingAppends(journals: JournalSystem, held: () => boolean): JournalSystem {
  const open = journals.open.bind(journals)
  journals.open = async (...how) => {
    const journal = await open(...how)
    const append = journal.append.bind(journal)
    journal.append = (payload, durability) =>
      held() ? { end: journal.end, written: new Promise(() => {}), synced: undefined } : append(payload, durability)
    return journal
  }
  return journals
}

// They were of unknown outcome, though nothing was under way.
for (const [name, open] of Object.entries(SYSTEMS))
  for (const [what, leave] of [
    ['was away for longer than its service waits', false],
    ['was idle when its service was started anew', true],
  ] as const)
    test(`${name}: an owner that ${what} writes on where it was`, async () => {
      const place = new JournalPlace(await open())
      const system = await place.system()
      const journal = await system.open(SHARD, epoch(1), new MemoryStateKeeper())
      await journal.append(Uint8Array.of(1), 'synced').synced
      await journal.append(Uint8Array.of(2), 'written').written
      await journal.truncate(journalPosition(1))
      for (const [round, first] of (['append', 'barrier', 'sync'] as const).entries()) {
        if (leave) await place.restart()
        else {
          await place.cut()
          place.clock.advance(AWAY_MS)
          await place.clock.turn()
        }
        if (first === 'append') await journal.append(Uint8Array.of(3 + round), 'synced').synced
        else {
          await journal[first]()
          await journal.append(Uint8Array.of(3 + round), 'written').written
        }
      }
      assert.deepEqual(await contentOf(journal, journalPosition(1)), [2, 3, 4, 5])
      assert.equal(journal.end, 5)
      await journal.close()
      await place.dispose()
    })

for (const [name, open] of Object.entries(SYSTEMS))
  test(`${name}: an owner that was away is told of another one, and nothing of its is there`, async () => {
    const place = new JournalPlace(await open())
    const [system, other] = [await place.system(), await place.system()]
    const names = ['main', 'asked'].map(shardId)
    const keepers = names.map(() => new MemoryStateKeeper())
    const openAll = async (by: JournalSystem, owner: number, states: readonly JournalStateKeeper[]) =>
      (await Promise.all(
        names.map((shard, index) => by.open(shard, epoch(owner), states[index] as JournalStateKeeper)),
      )) as [Journal, Journal]
    const [journal, asked] = await openAll(system, 1, keepers)
    await journal.append(Uint8Array.of(1), 'written').written
    await place.cut()
    place.clock.advance(AWAY_MS)
    await place.clock.turn()
    // The former owner has the head as it was.
    const copies = keepers.map(({ state }) => Object.assign(new MemoryStateKeeper(), { state }))
    const [next, nextAsked] = await openAll(other, 2, copies)
    const fenced = { code: 'FENCED' }
    await assert.rejects(journal.append(Uint8Array.of(2), 'written').written, fenced)
    await assert.rejects(journal.append(Uint8Array.of(3), 'written').written, fenced)
    await assert.rejects(asked.barrier(), fenced)
    assert.deepEqual(await contentOf(next), [1])
    for (const each of [journal, asked, next, nextAsked]) await each.close()
    await place.dispose()
  })

test('an owner whose log has lost what was only written takes no more writes', async () => {
  const [whole, shorter] = [new MemoryJournalStorage(), new MemoryJournalStorage()]
  const place = new JournalPlace(new MemoryJournalSystem({ storage: whole }))
  const system = await place.system()
  const journal = await system.open(SHARD, epoch(1), new MemoryStateKeeper())
  await journal.append(Uint8Array.of(1), 'written').written
  await journal.append(Uint8Array.of(2), 'written').written
  place.journals = new MemoryJournalSystem({ storage: shorter })
  const before = await place.journals.open(SHARD, epoch(1), new MemoryStateKeeper())
  await before.append(Uint8Array.of(1), 'written').written
  await place.restart()
  for (let write = 0; write < 2; write++)
    await assert.rejects(journal.append(Uint8Array.of(3), 'written').written, { code: 'OUTCOME_UNKNOWN' })
  await assert.rejects(journal.sync(), { code: 'OUTCOME_UNKNOWN' })
  await journal.close()
  await place.dispose()
})

test('appends under way when the service is started anew are of unknown outcome, and the next owner reads them back', async () => {
  let held = false
  const place = new JournalPlace(holdingAppends(localJournals(), () => held))
  const system = await place.system()
  place.passTime()
  const keeper = new MemoryStateKeeper()
  const journal = await system.open(SHARD, epoch(1), keeper)
  await journal.append(Uint8Array.of(1), 'synced').synced
  held = true
  const late = journal.append(Uint8Array.of(2), 'written')
  await place.clock.turn()
  await place.restart()
  await assert.rejects(late.written, { code: 'OUTCOME_UNKNOWN' })
  await assert.rejects(journal.append(Uint8Array.of(3), 'written').written, { code: 'OUTCOME_UNKNOWN' })
  await assert.rejects(journal.barrier(), { code: 'OUTCOME_UNKNOWN' })
  await journal.close()
  const next = await system.open(SHARD, epoch(2), keeper)
  const found: number[] = []
  await next.replay(POSITION_ZERO, (payload) => void found.push(...payload))
  assert.deepEqual(found, [1])
  await next.close()
  await place.dispose()
})
