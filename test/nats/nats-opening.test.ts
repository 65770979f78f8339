/** Who opens something where no JetStream answers is told so in a stated time, with its place and the way out. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { NatsHeadStore } from '../../src/fs/nats/nats-head-store.ts'
import { NatsJournalSystem } from '../../src/journal/nats/nats-journal-system.ts'
import { VarveError } from '../../src/kernel/errors.ts'
import { loadHash } from '../../src/kernel/hash.ts'
import { epoch, shardId } from '../../src/kernel/ids.ts'
import { JetStream } from '../../src/nats/jet-stream.ts'
import { NATS_LOG_DEFAULTS } from '../../src/nats/log-settings.ts'
import type { NatsConnection } from '../../src/nats/nats.ts'
import { MemoryStateKeeper } from '../../src/testing/memory-state-keeper.ts'
import { SeededRandom } from '../../src/testing/seeded-random.ts'
import { TurningClock } from './turning-clock.ts'

const hash = await loadHash()
const SHARD = shardId('main')

type Request = NatsConnection['request']

/** Opens over a connection whose requests are answered as told. @returns the failure, and after how many milliseconds */
async function openOver(
  answer: (clock: TurningClock, ...given: Parameters<Request>) => ReturnType<Request>,
  open: (streams: JetStream, clock: TurningClock) => Promise<unknown>,
  openMs?: number,
): Promise<{ error: VarveError; tookMs: number }> {
  const clock = new TurningClock()
  const connection: NatsConnection = {
    request: (...given) => answer(clock, ...given),
    publish: () => undefined,
    subscribe: () => ({ unsubscribe: () => undefined }),
    getServer: () => 'nats.test:4222',
  }
  const settings = openMs === undefined ? {} : { openMs }
  const headers = (): { set(): void } => ({ set: () => undefined })
  const streams = new JetStream({ connection, headers, clock, random: new SeededRandom(1), settings })
  let over = false
  // Passes also while nothing waits.
  const pass = (): void => void (over || clock.after(50, pass))
  pass()
  const failure: unknown = await open(streams, clock).then(
    () => undefined,
    (error: unknown) => error,
  )
  over = true
  assert.ok(failure instanceof VarveError, String(failure))
  return { error: failure, tookMs: clock.monotonic() }
}

const random = new SeededRandom(1)
const OPENINGS = [
  (streams: JetStream, clock: TurningClock) => new NatsHeadStore({ streams, hash, clock, random }).read(SHARD),
  (streams: JetStream, clock: TurningClock) =>
    new NatsJournalSystem({ streams, hash, clock, random }).open(SHARD, epoch(1), new MemoryStateKeeper()),
  (streams: JetStream, clock: TurningClock) =>
    new NatsJournalSystem({ streams, hash, clock, random }).openReadOnly(SHARD, undefined),
]

const late = (clock: TurningClock, ...[, , options]: Parameters<Request>): ReturnType<Request> =>
  new Promise((_, reject) => clock.after(options?.timeout ?? 0, () => reject(new Error('timeout'))))

test('nobody answers: opening fails after openMs, and says where, why and what to look at', async () => {
  for (const open of OPENINGS) {
    for (const [answer, cause] of [
      [late, /timeout/],
      [() => Promise.reject(new Error('no responders')), /JetStream is off, has no leader/],
    ] as const) {
      for (const openMs of [undefined, 3_000]) {
        const { error, tookMs } = await openOver(answer, open, openMs)
        assert.equal(error.code, 'IO_FAILED', String(error))
        assert.match(error.message, /NATS at nats\.test:4222 did not answer/)
        assert.match(error.message, cause)
        // Two clocks run at once here, so time passes twice as fast; and the last request is waited for.
        const allowedMs = 3 * ((openMs ?? 10_000) + 2_000)
        assert.ok(tookMs < allowedMs && tookMs >= (openMs ?? 10_000), `it took ${tookMs} ms`)
      }
    }
  }
})

test('who has been answered once waits for longer: a leader may have been killed', async () => {
  let asked = 0
  const once: typeof late = (clock, ...given) => {
    const missing = { error: { code: 404, err_code: 10_059, description: 'stream not found' } }
    const data = Buffer.from(JSON.stringify(missing))
    return asked++ === 0 ? Promise.resolve({ subject: '', data }) : late(clock, ...given)
  }
  const { tookMs } = await openOver(once, OPENINGS[1] as (typeof OPENINGS)[0])
  assert.ok(tookMs >= NATS_LOG_DEFAULTS.resumeMs, `it took ${tookMs} ms`)
})

test('what an account may not do is told at once', async () => {
  const denied = Object.assign(new Error('Permissions Violation for Publish'), { name: 'PermissionViolationError' })
  for (const open of OPENINGS) {
    const { error, tookMs } = await openOver(() => Promise.reject(denied), open)
    assert.equal(error.code, 'PERMISSION_DENIED', String(error))
    assert.ok(tookMs < 1_000, `it took ${tookMs} ms`)
  }
})
