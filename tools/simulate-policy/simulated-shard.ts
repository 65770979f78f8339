/**
 * A shard in numbers: memtables are flushed, and a policy's choices are carried out on sorted keys, by jobs that take
 * time, while writing goes on.
 *
 * Time is counted in writes. What is not simulated: the journal, compression, and bytes of a file beyond its entries.
 */

import { fileName } from '../../src/kernel/ids.ts'
import type { FileName } from '../../src/kernel/ids.ts'
import type { PolicyChange, PolicyChoice, PolicyFile, PolicyInput } from '../../src/shard/policy/policy.ts'
import { concatenate, mergeRuns } from './sorted-keys.ts'
import type { SortedKeys } from './sorted-keys.ts'

export type SimulatedPolicy = (input: PolicyInput<number, never>) => readonly PolicyChoice[]

export interface SimulationSettings {
  /** Of a key with its value. */
  readonly entryBytes: number
  /** Of a key that is deleted. */
  readonly deletionBytes: number
  readonly tableBytes: number
  /** Compactions at a time. */
  readonly compactionsMax: number
  /** Entries that a compaction reads in the time of one write. */
  readonly speed: number
  /** Files of level 0 at which writes wait. */
  readonly level0FilesStop: number
}

interface Table extends PolicyFile<number> {
  readonly keys: SortedKeys
}

interface Job {
  readonly change: PolicyChange
  readonly inputs: readonly Table[]
  readonly outputs: readonly Table[]
  readonly end: number
}

export interface Totals {
  readonly flushedBytes: number
  readonly compactedBytes: number
  readonly storedBytes: number
  /** Sorted runs that a scan merges. */
  readonly runs: number
  /** Time that writes waited, in writes. */
  readonly heldWrites: number
  readonly compactions: number
  readonly moves: number
}

export function entryBytesOf(
  code: number,
  { entryBytes, deletionBytes }: Pick<SimulationSettings, 'entryBytes' | 'deletionBytes'>,
): number {
  return (code & 1) === 0 ? entryBytes : deletionBytes
}

export class SimulatedShard {
  readonly #choose: (input: PolicyInput<number, never>) => readonly PolicyChoice[]
  readonly #settings: SimulationSettings
  readonly #policySettings: unknown
  #tables = new Map<FileName, Table>()
  #jobs: Job[] = []
  #now = 0
  #names = 0
  #flushes = 0
  #flushedBytes = 0
  #compactedBytes = 0
  #held = 0
  #compactions = 0
  #moves = 0

  /** @param policySettings what the policy takes */
  constructor(policy: SimulatedPolicy, policySettings: unknown, settings: SimulationSettings) {
    this.#choose = policy
    this.#policySettings = policySettings
    this.#settings = settings
  }

  /** A memtable that took `writes` to fill becomes a file. */
  flush(keys: SortedKeys, writes: number): void {
    this.#runUntil(this.#now + writes)
    while (this.#jobs.length > 0 && this.#level0Files >= this.#settings.level0FilesStop) {
      const end = Math.min(...this.#jobs.map((job) => job.end))
      this.#held += end - this.#now
      this.#runUntil(end)
    }
    this.#flushes++
    const table = this.#table(keys, 0, this.#flushes)
    this.#flushedBytes += table.bytes
    this.#tables.set(table.name, table)
    this.#startJobs()
  }

  /** Goes on until the policy asks for nothing more. */
  settle(): void {
    while (this.#jobs.length > 0) this.#runUntil(Math.min(...this.#jobs.map((job) => job.end)))
  }

  get totals(): Totals {
    const levels = new Set<number>()
    let storedBytes = 0
    for (const { level, bytes } of this.#tables.values()) {
      if (level > 0) levels.add(level)
      storedBytes += bytes
    }
    return {
      flushedBytes: this.#flushedBytes,
      compactedBytes: this.#compactedBytes,
      storedBytes,
      runs: this.#level0Files + levels.size,
      heldWrites: this.#held,
      compactions: this.#compactions,
      moves: this.#moves,
    }
  }

  /** Files and bytes of each level in use. */
  get levels(): ReadonlyMap<number, { readonly files: number; readonly bytes: number }> {
    const levels = new Map<number, { files: number; bytes: number }>()
    for (const { level, bytes } of this.#tables.values()) {
      const sum = levels.get(level) ?? { files: 0, bytes: 0 }
      levels.set(level, { files: sum.files + 1, bytes: sum.bytes + bytes })
    }
    return levels
  }

  get #level0Files(): number {
    let count = 0
    for (const { level } of this.#tables.values()) if (level === 0) count++
    return count
  }

  #runUntil(time: number): void {
    for (;;) {
      const next = this.#jobs.reduce<Job | undefined>(
        (least, job) => (least === undefined || job.end < least.end ? job : least),
        undefined,
      )
      if (next === undefined || next.end > time) break
      this.#now = next.end
      this.#jobs = this.#jobs.filter((job) => job !== next)
      for (const { name } of next.inputs) this.#tables.delete(name)
      for (const output of next.outputs) this.#tables.set(output.name, output)
      this.#startJobs()
    }
    this.#now = time
  }

  #startJobs(): void {
    while (this.#jobs.length < this.#settings.compactionsMax) {
      const [choice] = this.#choose({
        files: [...this.#tables.values()],
        changes: this.#jobs.map(({ change }) => change),
        compare: (a, b) => a - b,
        settings: this.#policySettings as never,
      })
      if (choice === undefined) return
      this.#perform(choice)
    }
  }

  #perform(choice: PolicyChoice): void {
    const inputs = choice.inputs.map((name) => this.#tables.get(name) as Table)
    if (choice.type === 'rewrite') {
      const outputs = this.#rewrite(inputs, choice.level, choice.bottom)
      for (const { bytes } of outputs) this.#compactedBytes += bytes
      const entries = inputs.reduce((sum, { keys }) => sum + keys.length, 0)
      this.#compactions++
      this.#jobs.push({ change: choice, inputs, outputs, end: this.#now + entries / this.#settings.speed })
      return
    }
    for (const { name } of inputs) this.#tables.delete(name)
    if (choice.type === 'drop') return
    this.#moves++
    for (const table of inputs) this.#tables.set(table.name, { ...table, level: choice.level })
  }

  #rewrite(inputs: readonly Table[], level: number, bottom: boolean): readonly Table[] {
    const runs = new Map<number | FileName, SortedKeys[]>()
    for (const table of inputs) {
      const run = table.level === 0 ? table.name : table.level
      runs.set(run, [...(runs.get(run) ?? []), table.keys])
    }
    const merged = mergeRuns([...runs.values()].map(concatenate), bottom)
    const seqnoLast = Math.max(...inputs.map((table) => table.seqnoLast))
    const outputs: Table[] = []
    for (let start = 0, limit = 0; start < merged.length; start = limit) {
      for (let bytes = 0; limit < merged.length && bytes < this.#settings.tableBytes; limit++) {
        bytes += entryBytesOf(merged[limit] as number, this.#settings)
      }
      outputs.push(this.#table(merged.slice(start, limit), level, seqnoLast))
    }
    return outputs
  }

  #table(keys: SortedKeys, level: number, seqnoLast: number): Table {
    return {
      name: fileName(`t${++this.#names}`),
      bytes: keys.reduce((sum, code) => sum + entryBytesOf(code, this.#settings), 0),
      entries: keys.length,
      deletions: keys.reduce((sum, code) => sum + (code & 1), 0),
      level,
      first: (keys[0] as number) >>> 1,
      last: (keys.at(-1) as number) >>> 1,
      seqnoLast,
      keys,
    }
  }
}
