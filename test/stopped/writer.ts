/**
 * The child of the tests with SIGSTOP: an owner as any other, with its lock, that writes batches until it is refused, and
 * says of each call what became of it.
 *
 *      open              it may begin
 *      ack NUMBER        the batch is on stable storage
 *      refused CODE      a call was not acknowledged
 *      done              every call has settled
 */

import { VarveError } from '../../src/kernel/errors.ts'
import { open } from '../../src/local.ts'
import { batchOf, SETTINGS } from '../kill/batches.ts'
import { sayNow } from '../say-now.ts'

// After the first refusal: the owner has to go on being refused.
const CALLS_AFTER = 8

const [directory, jobs] = process.argv.slice(2)
if (directory === undefined || (jobs !== 'threads' && jobs !== 'inline'))
  throw new Error('usage: writer DIRECTORY JOBS')

const db = await open(directory, { settings: SETTINGS, jobs })
let refused = false

async function call(work: () => Promise<unknown>, answer: string): Promise<void> {
  try {
    await work()
    sayNow(answer)
  } catch (error) {
    refused = true
    sayNow(`refused ${error instanceof VarveError ? error.code : String(error)}`)
  }
}

sayNow('open')
let number = 1
while (!refused) {
  // Four at a time, and now and then a flush behind them.
  const calls = [0, 1, 2, 3].map((step) =>
    call(() => db.batch(batchOf(number + step), { durability: 'synced' }), `ack ${number + step}`),
  )
  await Promise.all(calls)
  number += 4
}
for (let after = 0; after < CALLS_AFTER; after++) {
  await call(() => db.batch(batchOf(number + after), { durability: 'synced' }), `ack ${number + after}`)
}
await call(() => db.flush(), 'flushed')
await db.close().catch((error: unknown) => {
  if (!(error instanceof VarveError)) sayNow(`refused ${String(error)}`)
})
sayNow('done')
