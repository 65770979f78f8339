/** The calls of one life of a shard, with their answers: what was told to clients is held against all orders of the calls. */

import assert from 'node:assert/strict'
import { checkLinearizability } from '../../src/testing/linearizability.ts'
import { REGISTERS } from '../../src/testing/register-model.ts'
import type { RegisterAnswer, RegisterCall } from '../../src/testing/register-model.ts'

/** One call on one key; a batch is one for each of its keys. */
export interface Call {
  readonly input: RegisterCall
  readonly start: number
  end: number
  /** Undefined until it has answered, and for ever where its process ends before. */
  output: RegisterAnswer | undefined
  refused: boolean
}

export class RecordedCalls {
  #calls: Call[] = []
  #moment = 0
  /** Of all lives. */
  checked = 0

  begin(...inputs: readonly RegisterCall[]): readonly Call[] {
    const start = this.now()
    const calls = inputs.map((input): Call => ({ input, start, end: Infinity, output: undefined, refused: false }))
    this.#calls.push(...calls)
    return calls
  }

  now(): number {
    return ++this.#moment
  }

  /** @param outputs of each call; null where there is none @param end when they had taken effect */
  answer(calls: readonly Call[], outputs: readonly RegisterAnswer[], end: number = this.now()): void {
    for (const [index, call] of calls.entries()) {
      call.end = end
      call.output = outputs[index] ?? null
    }
  }

  /** Nothing of them has happened, or will. */
  refuse(calls: readonly Call[]): void {
    for (const call of calls) call.refused = true
  }

  /**
   * The power was cut: what nobody was told of is there no more, although it may have been seen.
   *
   * Values are written once, and nothing is deleted.
   */
  forgetUnacknowledged(): void {
    const lost = new Set<string>()
    for (const { input, output } of this.#calls)
      if (input.type === 'put' && output === undefined) lost.add(`${input.key}=${input.value}`)
    this.#calls = this.#calls.filter(({ input, output }) => input.type !== 'get' || !lost.has(`${input.key}=${output}`))
  }

  /** @throws {AssertionError} no order of the calls explains what they have answered */
  check(): void {
    // A read that nobody saw says nothing; a write that nobody was told of may have happened or not.
    const history = this.#calls.filter(
      ({ input, output, refused }) => !refused && (output !== undefined || input.type !== 'get'),
    )
    const verdict = checkLinearizability(history, REGISTERS)
    assert.ok(verdict.linearizable, `not linearizable: ${JSON.stringify(verdict)}`)
    this.checked += history.length
  }

  /** Another life begins, with `content`. */
  restart(content: ReadonlyMap<string, string>): void {
    this.#calls = []
    const puts = [...content].map(([key, value]): RegisterCall => ({ type: 'put', key, value }))
    this.answer(
      this.begin(...puts),
      puts.map(() => null),
    )
  }
}
