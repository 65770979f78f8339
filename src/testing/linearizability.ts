/**
 * Is a recorded history of concurrent calls linearizable: could every call have taken effect at one moment between its
 * start and its end?
 *
 * Porcupine's algorithm (Athalye 2017, after Wing and Gong 1993 and Lowe 2017): a depth-first search over a linked list of
 * calls and returns. It takes any call that has begun before the first return, applies it to the state, and goes back
 * where a return comes whose call has not been taken; pairs of {calls taken, state} that have been seen are not visited
 * again. Histories fall into parts that do not know each other (keys), and a history is linearizable when each part is
 * (Herlihy and Wing's locality), which makes the search small.
 *
 * A call whose outcome is unknown has no return: it may take effect at any time after its start, or never. The search for a
 * history that is not linearizable takes time exponential in the number of those, in one part.
 */

import { SeenStates } from './seen-states.ts'

/** One call of a history. Plain data. */
export interface RecordedCall<Input, Output> {
  /** What was asked. */
  readonly input: Input
  /** Undefined: nobody knows what became of it. */
  readonly output: Output | undefined
  /** Any order-preserving numbers; `end` is Infinity where `output` is undefined. */
  readonly start: number
  /** When its answer came. */
  readonly end: number
}

/** What calls do, one after the other. Pure: a state is never changed. */
export interface SequentialModel<State, Input, Output> {
  /** Of every part. */
  readonly initial: State
  /** Part of the history that the call belongs to; parts must be independent. */
  partOf(input: Input): string
  /** The state after the call, or undefined where `output` cannot be its answer. `output` is undefined where unknown. */
  step(state: State, input: Input, output: Output | undefined): { readonly state: State } | undefined
  /** Equal texts for equal states. */
  describe(state: State): string
}

/** What `checkLinearizability` has found. */
export type Linearizability =
  /** There is such an order. */
  | { readonly linearizable: true }
  | {
      /** There is none. */
      readonly linearizable: false
      /** The part that no order explains. */
      readonly part: string
      /** How many of its calls some order does explain. */
      readonly explained: number
    }

/**
 * Whether the calls of `history` can be put into one order in which the model gives each its output, and no call comes before
 * one that had ended when it started. Parts of the model are judged apart.
 *
 * @param history in any order; a call without an output has no end, and may or may not have happened
 * @throws {RangeError} {TypeError} a call that ends before it starts, or has an end without an output, or none with one
 */
export function checkLinearizability<State, Input, Output>(
  history: readonly RecordedCall<Input, Output>[],
  model: SequentialModel<State, Input, Output>,
): Linearizability {
  const parts = new Map<string, RecordedCall<Input, Output>[]>()
  for (const call of history) {
    if (!(call.start <= call.end)) throw new RangeError('a call ends before it starts')
    if ((call.output === undefined) !== (call.end === Infinity)) {
      throw new TypeError('a call without an output has no end, and every other one has')
    }
    const part = model.partOf(call.input)
    const calls = parts.get(part) ?? []
    calls.push(call)
    parts.set(part, calls)
  }
  for (const [part, calls] of parts) {
    const explained = search(calls, model)
    if (explained !== undefined) return { linearizable: false, part, explained }
  }
  return { linearizable: true }
}

/** The start or the end of a call, in a list that calls are taken out of and put back into. */
interface Moment {
  readonly call: number
  readonly at: number
  /** Of a start: the end. */
  readonly end: Moment | undefined
  before: Moment | undefined
  after: Moment | undefined
}

/** @returns undefined where some order explains every call; otherwise how many calls the best one explains */
function search<State, Input, Output>(
  calls: readonly RecordedCall<Input, Output>[],
  model: SequentialModel<State, Input, Output>,
): number | undefined {
  const head = listOf(calls)
  const settled = calls.filter(({ end }) => end !== Infinity).length
  const seen = new SeenStates(calls.length)
  const taken: { readonly moment: Moment; readonly state: State }[] = []
  let state = model.initial
  let [returned, best] = [0, 0]
  let moment = head.after
  // What remains are calls without an outcome, which need not have happened.
  while (returned < settled) {
    if (moment?.end !== undefined) {
      const { input, output } = calls[moment.call] as RecordedCall<Input, Output>
      const next = model.step(state, input, output)
      if (next !== undefined && seen.add(moment.call, model.describe(next.state))) {
        taken.push({ moment, state })
        state = next.state
        if (moment.end.at !== Infinity) returned++
        best = Math.max(best, returned)
        take(moment)
        moment = head.after
      } else {
        moment = moment.after
      }
      continue
    }
    // A return whose call was not taken, or the end of the list: some choice before was wrong.
    const last = taken.pop()
    if (last === undefined) return best
    state = last.state
    seen.remove(last.moment.call)
    if (last.moment.end?.at !== Infinity) returned--
    putBack(last.moment)
    moment = last.moment.after
  }
  return undefined
}

function listOf<Input, Output>(calls: readonly RecordedCall<Input, Output>[]): Moment {
  const moments: Moment[] = []
  for (const [call, { start, end }] of calls.entries()) {
    const last: Moment = { call, at: end, end: undefined, before: undefined, after: undefined }
    moments.push({ call, at: start, end: last, before: undefined, after: undefined }, last)
  }
  // At the same time a start comes first: the calls overlap.
  moments.sort((a, b) => (a.at === b.at ? Number(a.end === undefined) - Number(b.end === undefined) : a.at - b.at))
  const head: Moment = { call: -1, at: -Infinity, end: undefined, before: undefined, after: undefined }
  let former = head
  for (const moment of moments) {
    former.after = moment
    moment.before = former
    former = moment
  }
  return head
}

function take(start: Moment): void {
  for (const moment of [start, start.end as Moment]) {
    ;(moment.before as Moment).after = moment.after
    if (moment.after !== undefined) moment.after.before = moment.before
  }
}

/** In the opposite order of `take`, so that each finds the neighbours it had. */
function putBack(start: Moment): void {
  for (const moment of [start.end as Moment, start]) {
    ;(moment.before as Moment).after = moment
    if (moment.after !== undefined) moment.after.before = moment
  }
}
