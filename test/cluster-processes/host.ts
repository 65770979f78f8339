/**
 * A shard host as a process: everything of its shard is elsewhere. It takes the shard over and writes until it is refused, and
 * says of each call what became of it.
 *
 *      open              the shard is its own
 *      ack NUMBER        the write is on stable storage, or as safe as its journal makes it
 *      again CODE        a call was not acknowledged, and the next one may be
 *      refused CODE      a call was not acknowledged, and none will be
 *      done              every call has settled
 */

import { setTimeout as sleep } from 'node:timers/promises'
import type { KvShard } from '../../src/engines/kv/kv-shard.ts'
import { VarveError, isCode } from '../../src/kernel/errors.ts'
import { valueOf } from '../kill/batches.ts'
import { keyOf } from './keys.ts'
import { sayNow } from '../say-now.ts'
import { durabilityAt, openElsewhere } from './shard-elsewhere.ts'
import type { ShardPlaces } from './shard-elsewhere.ts'

export interface HostRequest extends ShardPlaces {
  readonly name: string
  /** Goes on calling until it is told that there is another owner. */
  readonly untilFenced: boolean
}

// After the first refusal: it has to go on being refused.
const CALLS_AFTER = 8
const PAUSE_MS = 100
const OPENINGS_MAX = 40

const { name, untilFenced, ...places } = JSON.parse(process.argv[2] ?? '{}') as HostRequest

async function openPatiently(): Promise<KvShard> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await openElsewhere(places)
    } catch (error) {
      const mayPass = error instanceof VarveError && ['retry', 'unknown', 'fenced'].includes(error.kind)
      if (!mayPass || attempt === OPENINGS_MAX) throw error
    }
  }
}

const db = await openPatiently()
sayNow('open')
let [refused, fenced] = [false, false]

async function call(work: () => Promise<unknown>, answer: string): Promise<void> {
  try {
    await work()
    sayNow(answer)
  } catch (error) {
    const mayGoOn = error instanceof VarveError && error.kind === 'retry'
    refused ||= !mayGoOn
    fenced ||= isCode(error, 'FENCED')
    sayNow(`${mayGoOn ? 'again' : 'refused'} ${error instanceof VarveError ? error.code : String(error)}`)
  }
}

const put = (number: number): Promise<void> =>
  call(() => db.put(keyOf(name, number), valueOf(number), { durability: durabilityAt(places) }), `ack ${number}`)
let number = 1
for (; !refused; number += 4) await Promise.all([0, 1, 2, 3].map((step) => put(number + step)))
for (; untilFenced && !fenced; number++) {
  await put(number)
  await sleep(PAUSE_MS)
}
for (let after = 0; after < CALLS_AFTER; after++) await put(number + after)
sayNow('done')
process.exit(0)
