/**
 * A shared log that was moved away while it was served, and put back: its shards are opened again, by the service that is
 * there. It had to be started anew, though the error says that the file is to be put back, and no more.
 */

import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, renameSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { Opened, ServedDirectories } from '../../src/cli/serve/served-directory.ts'
import type { Journal } from '../../src/journal/journal.ts'
import { VarveError } from '../../src/kernel/errors.ts'
import { loadHash } from '../../src/kernel/hash.ts'
import { epoch, shardId } from '../../src/kernel/ids.ts'
import { SystemClock } from '../../src/system-clock.ts'
import { SystemRandom } from '../../src/system-random.ts'
import { MemoryStateKeeper } from '../../src/testing/memory-state-keeper.ts'

test('shards are opened again when a shared log has been put back, and not before', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'varve-put-back-'))
  const [opened, hash] = [new Opened(), await loadHash()]
  const basis = { hash, random: new SystemRandom(), clock: new SystemClock(), opened }
  try {
    const system = await new ServedDirectories(basis).sharedJournal(directory)
    let openings = 0
    const open = (): Promise<Journal> => system.open(shardId('one'), epoch(++openings), new MemoryStateKeeper())
    const before = await open()
    await before.append(Uint8Array.of(1), 'synced').synced
    const [log, aside] = [join(directory, 'log'), join(directory, 'aside')]
    renameSync(log, aside)
    assert.equal(await untilRefused(before), 'JOURNAL_CORRUPT')
    for (let tries = 0; tries < 2; tries++) await assert.rejects(open(), { code: 'JOURNAL_CORRUPT' })
    assert.ok(!existsSync(log), 'nothing is in its way')
    renameSync(aside, log)
    const again = await open()
    const found: number[] = []
    await again.replay(again.start, (payload) => void found.push(payload[0] as number))
    assert.equal(found[0], 1, 'what was synced is there')
    await again.append(Uint8Array.of(3), 'synced').synced
    await assert.rejects(before.append(Uint8Array.of(4), 'written').written, VarveError)
  } finally {
    await opened.close().catch(() => undefined)
    rmSync(directory, { recursive: true })
  }
})

/** It is noticed within 100 ms, on a machine that has nothing else to do. */
async function untilRefused(journal: Journal): Promise<string> {
  for (let tries = 0; tries < 1000; tries++) {
    try {
      await journal.append(Uint8Array.of(2), 'synced').synced
    } catch (error) {
      return error instanceof VarveError ? error.code : String(error)
    }
    await sleep(10)
  }
  return 'nothing'
}
