/** A shard whose every call is recorded with its start, its end and its answer. */

import { VarveError } from '../../src/kernel/errors.ts'
import type { RecordedCall } from '../../src/testing/linearizability.ts'
import type { RegisterAnswer, RegisterCall } from '../../src/testing/register-model.ts'
import type { KvShard } from '../../src/engines/kv/kv-shard.ts'

export class RecordedShard {
  readonly history: RecordedCall<RegisterCall, RegisterAnswer>[] = []
  #moment = 0
  #calls: { settled: boolean; readonly forget: () => void }[] = []

  /** Makes the call and records it. Never rejects: what fails has no outcome. */
  async call(db: KvShard, input: RegisterCall): Promise<void> {
    const start = ++this.#moment
    const call = {
      settled: false,
      forget: () => {
        // The process died: nobody knows what became of a write; a read that nobody saw says nothing.
        if (input.type !== 'get') this.history.push({ input, output: undefined, start, end: Infinity })
      },
    }
    this.#calls.push(call)
    try {
      const output = await perform(db, input)
      if (call.settled) return
      this.history.push({ input, output, start, end: ++this.#moment })
    } catch (error) {
      if (call.settled) return
      if (!(error instanceof VarveError)) throw error
      call.forget()
    }
    call.settled = true
  }

  /** Whatever is under way has no outcome any more. */
  kill(): void {
    for (const call of this.#calls) {
      if (!call.settled) call.forget()
      call.settled = true
    }
    this.#calls = []
  }
}

async function perform(db: KvShard, input: RegisterCall): Promise<RegisterAnswer> {
  const key = Buffer.from(input.key)
  if (input.type === 'get') {
    const found = await db.get(key)
    return found === undefined ? null : Buffer.from(found).toString()
  }
  if (input.type === 'put') await db.put(key, Buffer.from(input.value), { durability: 'synced' })
  else await db.delete(key, { durability: 'synced' })
  return null
}
