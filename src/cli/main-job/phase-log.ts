/** Phases of the job: each with a progress bar while it runs and a line of figures when it is done. */

import type { CommandContext } from '../command.ts'
import { ProgressBar } from '../progress-bar.ts'
import type { Progress } from '../progress-bar.ts'
import { formatByteRate, formatBytes, formatCount, formatDuration, formatNumberOf, formatRate } from '../quantities.ts'
import { renderTable } from '../text-table.ts'

/** Plain data. */
export interface Phase {
  readonly name: string
  readonly items: number
  readonly bytes: number
  readonly durationMs: number
}

/** Without `item` and `total`, nothing is counted but the time. */
export interface PhasePlan {
  readonly name: string
  /** What is counted, such as `file`. */
  readonly item?: string
  /** How many there will be. */
  readonly total?: number
}

/** Counts what a phase does and shows it. */
class CountingProgress implements Progress {
  items = 0
  bytes = 0
  readonly #bar: ProgressBar | undefined

  constructor(bar: ProgressBar | undefined) {
    this.#bar = bar
  }

  advance(items: number, bytes: number): void {
    this.items += items
    this.bytes += bytes
    this.#bar?.advance(items, bytes)
  }
}

export class PhaseLog {
  readonly #context: CommandContext
  readonly #phases: Phase[] = []

  constructor(context: CommandContext) {
    this.#context = context
  }

  get phases(): readonly Phase[] {
    return this.#phases
  }

  /** Takes over what another process has done. */
  adopt(phases: readonly Phase[]): void {
    this.#phases.push(...phases)
  }

  /** Runs `work`, shows its progress and keeps its figures. */
  async run<Result>(
    { name, item, total = 0 }: PhasePlan,
    work: (progress: Progress) => Promise<Result>,
  ): Promise<Result> {
    const { output, now } = this.#context
    const bar = item === undefined ? undefined : new ProgressBar(output, { label: name, item, total, now })
    if (bar === undefined) output.status(`${name} …`)
    const progress = new CountingProgress(bar)
    const startMs = now()
    try {
      const result = await work(progress)
      const durationMs = now() - startMs
      this.#phases.push({ name, items: progress.items, bytes: progress.bytes, durationMs })
      output.status('')
      const counted = item === undefined ? '' : `${formatNumberOf(progress.items, item)} in `
      output.note(`${name}: ${counted}${formatDuration(durationMs)}`)
      return result
    } finally {
      output.status('')
    }
  }

  /** The phases as a table. */
  render(): readonly string[] {
    return renderTable(
      [
        { title: 'phase' },
        { title: 'items', align: 'right' },
        { title: 'bytes', align: 'right' },
        { title: 'time', align: 'right' },
        { title: 'items/s', align: 'right' },
        { title: 'rate', align: 'right' },
      ],
      this.#phases.map(({ name, items, bytes, durationMs }) => [
        name,
        items === 0 ? '' : formatCount(items),
        bytes === 0 ? '' : formatBytes(bytes),
        formatDuration(durationMs),
        items === 0 ? '' : formatRate(items, durationMs),
        bytes === 0 ? '' : formatByteRate(bytes, durationMs),
      ]),
    )
  }
}
