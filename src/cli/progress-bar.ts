/**
 * Progress of one phase: a bar that is redrawn where somebody watches, a plain line every few seconds where not.
 *
 *      read back  ████████████████████░░░░░░░░░░░░  62 %  3,340 of 5,387 files  71.2 MB  1,240/s  3 s left
 */

import type { Output } from './output.ts'
import { formatBytes, formatCount, formatDuration, formatNumberOf, formatRate } from './quantities.ts'

/** What the work tells while it goes on. */
export interface Progress {
  /** So many more items and bytes are done. */
  advance(items: number, bytes: number): void
}

export interface ProgressOptions {
  readonly label: string
  /** What is counted, such as `file`. */
  readonly item: string
  /** Items there are in all; undefined where nobody knows. */
  readonly total?: number
  /** Bytes there are in all, where the number of items is not known. */
  readonly totalBytes?: number
  /** Milliseconds from any start. */
  readonly now: () => number
}

// Often enough to look smooth, seldom enough to cost nothing.
const REDRAW_MS = 100
// A log should not fill up with it.
const LINE_MS = 5000
const BAR_COLUMNS_MAX = 32
const BAR_COLUMNS_MIN = 8

export class ProgressBar implements Progress {
  readonly #output: Output
  readonly #options: ProgressOptions
  readonly #startMs: number
  #shownMs: number
  #items = 0
  #bytes = 0

  constructor(output: Output, options: ProgressOptions) {
    this.#output = output
    this.#options = options
    this.#startMs = options.now()
    this.#shownMs = this.#startMs
    output.status(this.#text(this.#startMs))
  }

  advance(items: number, bytes: number): void {
    this.#items += items
    this.#bytes += bytes
    const nowMs = this.#options.now()
    if (nowMs - this.#shownMs < (this.#output.live ? REDRAW_MS : LINE_MS)) return
    this.#shownMs = nowMs
    if (this.#output.live) this.#output.status(this.#text(nowMs))
    else this.#output.note(this.#facts(nowMs).join('  '))
  }

  #text(nowMs: number): string {
    const [label = '', ...facts] = this.#facts(nowMs)
    const rest = facts.join('  ')
    const fraction = this.#fraction()
    const room = this.#output.columns - label.length - rest.length - 6
    const width = Math.min(BAR_COLUMNS_MAX, room)
    if (width < BAR_COLUMNS_MIN || fraction === undefined) return `${label}  ${rest}`
    const filled = Math.round(width * fraction)
    return `${label}  ${'█'.repeat(filled)}${'░'.repeat(width - filled)}  ${rest}`
  }

  #facts(nowMs: number): readonly string[] {
    const { label, item, total, totalBytes } = this.#options
    const elapsedMs = nowMs - this.#startMs
    const fraction = this.#fraction()
    const items = formatNumberOf(this.#items, item)
    const facts = [
      label,
      ...(fraction === undefined ? [] : [`${Math.floor(100 * fraction)} %`]),
      total === undefined ? items : `${formatCount(this.#items)} of ${formatNumberOf(total, item)}`,
      totalBytes === undefined ? formatBytes(this.#bytes) : `${formatBytes(this.#bytes)} of ${formatBytes(totalBytes)}`,
    ]
    if (this.#items > 0 && elapsedMs > 0) {
      facts.push(formatRate(this.#items, elapsedMs))
      if (fraction !== undefined && fraction > 0 && fraction < 1)
        facts.push(`${formatDuration((elapsedMs / fraction) * (1 - fraction))} left`)
    }
    return facts
  }

  /** How much of it is done; undefined where nobody knows. */
  #fraction(): number | undefined {
    const { total, totalBytes } = this.#options
    if (total !== undefined) return total === 0 ? 1 : Math.min(1, this.#items / total)
    if (totalBytes !== undefined) return totalBytes === 0 ? 1 : Math.min(1, this.#bytes / totalBytes)
    return undefined
  }
}
