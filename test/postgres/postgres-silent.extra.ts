/** A server that stands still: whoever asks is told so in the stated time, however many connections wait to be used. */

import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { isCode } from '../../src/kernel/errors.ts'
import { PostgresPlace, clock } from './postgres-place.ts'

const place = await PostgresPlace.start()

after(() => place.stop())

const [answerMs, awayMs, connectMs] = [4_000, 500, 500]
const QUESTION = { name: '', text: 'SELECT pg_sleep(0.5)' }

// Each connection was waited for that had been made before, for twice answerMs.
test('a silent server counts as gone in the stated time, with many connections, too', place.skip, async () => {
  const database = place.database(place.schema(), { answerMs, awayMs, connectMs })
  await Promise.all(Array.from({ length: 4 }, () => database.query(QUESTION, [])))
  await place.running.asleep(async () => {
    const sinceMs = clock.monotonic()
    await assert.rejects(database.repeat(QUESTION, []), (error) => isCode(error, 'IO_FAILED'))
    const tookMs = Math.round(clock.monotonic() - sinceMs)
    // Machines that test are busy; another connection would be waited for as long as the first.
    assert.ok(tookMs < 3 * answerMs + awayMs + 2 * connectMs, `it took ${tookMs} ms`)
  })
  await database.repeat(QUESTION, [])
})
