/** The sequential model of a key-value shard, one key a part: what histories of gets, puts and deletes are held against. */

import type { SequentialModel } from './linearizability.ts'

export type RegisterCall =
  | { readonly type: 'get'; readonly key: string }
  | { readonly type: 'put'; readonly key: string; readonly value: string }
  | { readonly type: 'delete'; readonly key: string }

/** Of a get: the value, or null where there is none. Of others: null. */
export type RegisterAnswer = string | null

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
