/** The sequential model of a key-value shard, one key a part: what histories of gets, puts and deletes are held against. */

import type { SequentialModel } from './linearizability.ts'

/** A call of a key-value shard, as a history has it. */
export type RegisterCall =
  /** Reads `key`. */
  | { readonly type: 'get'; readonly key: string }
  /** Sets `key` to `value`. */
  | { readonly type: 'put'; readonly key: string; readonly value: string }
  /** Removes `key`. */
  | { readonly type: 'delete'; readonly key: string }

/** Of a get: the value, or null where there is none. Of others: null. */
export type RegisterAnswer = string | null

/** A key-value shard as registers: one for each key, empty at first. */
export const REGISTERS: SequentialModel<string | null, RegisterCall, RegisterAnswer> = Object.freeze({
  initial: null,
  partOf: (call: RegisterCall) => call.key,
  step(state: string | null, call: RegisterCall, answer: RegisterAnswer | undefined) {
    if (call.type === 'put') return { state: call.value }
    if (call.type === 'delete') return { state: null }
    return answer === undefined || answer === state ? { state } : undefined
  },
  describe: (state: string | null) => (state === null ? 'none' : `value ${state}`),
})
