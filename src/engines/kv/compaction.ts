/** Which policy compacts the tables of a shard, and what its choices mean to the shard. */

import type { KeyOrder } from '../../kernel/key-order.ts'
import { chooseCovered } from '../../shard/policy/covered.ts'
import { chooseFifo } from '../../shard/policy/fifo.ts'
import { chooseLazyLeveled } from '../../shard/policy/lazy-leveled.ts'
import { chooseLeveled } from '../../shard/policy/leveled.ts'
import type { PolicyChange, PolicyChoice, PolicyInput } from '../../shard/policy/policy.ts'
import { chooseReclaim } from '../../shard/policy/reclaim.ts'
import { chooseRange } from '../../shard/policy/range.ts'
import type { PolicyRange } from '../../shard/policy/range.ts'
import { chooseTiered, TIERED_LEVEL_LAST } from '../../shard/policy/tiered.ts'
import type { Change, ChooseInput } from '../../shard/shard.ts'
import { withColumns } from './key-columns.ts'
import { comparePoints } from './key-point.ts'
import type { KeyPoint } from './key-point.ts'
import type { Levels } from './levels.ts'
import type { KvPolicy, KvSettings } from './settings.ts'

/** A rewrite's own parameters: what the policy said. */
export interface RewriteParameters {
  readonly bottom: boolean
}

interface CompactionParts {
  readonly order: KeyOrder
  readonly settings: KvSettings
}

type KvPolicyInput = PolicyInput<KeyPoint, KvSettings>

const POLICIES: Readonly<Record<KvPolicy, (input: KvPolicyInput) => readonly PolicyChoice[]>> = {
  leveled: chooseLeveled,
  tiered: chooseTiered,
  fifo: chooseFifo,
  'lazy-leveled': chooseLazyLeveled,
}

/** What the policy asks for, most urgent first; before it what a deletion covers whole, and what a full disk needs. */
export function chooseCompactions(
  parts: CompactionParts,
  { shape, changes, pinnedSeqnos, outOfSpace }: ChooseInput<Levels>,
): readonly Change[] {
  const input = toInput(parts, shape, changes)
  const { policy } = parts.settings
  // The oldest first; nobody reads as of anything where there is none.
  const covered = chooseCovered({ ...input, seqnoRead: pinnedSeqnos[0] ?? Infinity })
  // Files of the first-in, first-out policy are never rewritten.
  const reclaimed = outOfSpace && policy !== 'fifo' ? chooseReclaim(input) : []
  return [...covered, ...reclaimed, ...POLICIES[policy](input)].map((choice) => toChange(choice, shape))
}

/** What compacts `range` into one run; undefined where it is, `blocked` where changes under way are in the way. */
export function chooseRangeCompaction(
  parts: CompactionParts,
  shape: Levels,
  underway: readonly Change[],
  range: PolicyRange<KeyPoint>,
): Change | 'blocked' | undefined {
  const levelLast = parts.settings.policy === 'leveled' ? 1 : TIERED_LEVEL_LAST
  const choice = chooseRange(toInput(parts, shape, underway), range, levelLast)
  return choice === undefined || choice === 'blocked' ? choice : toChange(choice, shape)
}

function toInput({ order, settings }: CompactionParts, shape: Levels, underway: readonly Change[]): KvPolicyInput {
  const compare = (a: KeyPoint, b: KeyPoint): number => comparePoints(order, a, b)
  const files = [...shape.byName.values()].map(({ placed }) => placed)
  return { files, changes: underway.map(toPolicyChange), compare, settings }
}

function toPolicyChange(change: Change): PolicyChange {
  if (change.type === 'drop') return { inputs: change.files, level: undefined }
  return { inputs: change.type === 'move' ? change.files : change.inputs, level: change.group }
}

function toChange(choice: PolicyChoice, shape: Levels): Change {
  const inputs = withColumns(choice.inputs, shape)
  if (choice.type === 'drop') return { type: 'drop', files: inputs }
  if (choice.type === 'move') return { type: 'move', files: inputs, group: choice.level }
  const parameters: RewriteParameters = { bottom: choice.bottom }
  return { type: 'rewrite', inputs, group: choice.level, parameters }
}
