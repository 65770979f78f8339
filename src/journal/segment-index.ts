/** Where frames begin in a segment: one entry per 64 KiB of log, in memory, so that a read starts near its frame. */

// About one full frame of small batches: finer would not save a read, coarser would walk more headers.
const SPACING_BYTES = 65536

export interface FramePlace {
  readonly position: number
  readonly offset: number
}

export class SegmentIndex {
  readonly #positions: number[] = []
  readonly #offsets: number[] = []

  /** Called for frames in order; keeps some. */
  add(position: number, offset: number): void {
    const last = this.#offsets[this.#offsets.length - 1]
    if (last !== undefined && offset - last < SPACING_BYTES) return
    this.#positions.push(position)
    this.#offsets.push(offset)
  }

  /** A frame at or before the one that holds `position`; undefined where none is known. */
  floor(position: number): FramePlace | undefined {
    let low = 0
    let high = this.#positions.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((this.#positions[middle] as number) <= position) low = middle + 1
      else high = middle
    }
    if (low === 0) return undefined
    return { position: this.#positions[low - 1] as number, offset: this.#offsets[low - 1] as number }
  }
}
