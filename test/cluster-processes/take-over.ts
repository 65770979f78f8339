/** What a host was told, and a host that sleeps through a take-over: nothing of it is acknowledged any more, and it is told so. */

import assert from 'node:assert/strict'
import type { Host } from './process-group.ts'

// What it had been told, and not said, when it fell asleep: four calls at a time.
const UNSAID_MAX = 4

/** It was told these codes, and no others. */
export function assertRefused(host: Host, ...codes: readonly string[]): void {
  assert.deepEqual([...host.refusals].sort(), [...codes].sort(), host.name)
}

/** @param said how much it had said when another took its shard over */
export function assertSilenced(zombie: Host, said: number): void {
  assert.ok(zombie.acknowledged.length <= said + UNSAID_MAX, `${zombie.name} is a zombie, and was acknowledged`)
}

/**
 * Whoever `owner` is stands still, another opens its shard and writes, and it goes on.
 *
 * @param openNext the host that takes over
 * @returns that host, which goes on writing
 */
export async function sleepsThroughTakeOver(owner: Host, openNext: () => Promise<Host>): Promise<Host> {
  owner.signal('SIGSTOP')
  const next = await openNext()
  await next.acknowledges(100)
  const said = owner.acknowledged.length
  owner.signal('SIGCONT')
  await owner.gives()
  assertRefused(owner, 'FENCED')
  assertSilenced(owner, said)
  await next.acknowledges(100)
  return next
}
