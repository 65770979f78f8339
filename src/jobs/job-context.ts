/** What a handler is given to work with. One per run of a job. */

import type { Clock } from '../kernel/clock.ts'
import { throwIfAborted } from '../kernel/errors.ts'
import type { Hash } from '../kernel/hash.ts'
import { fileName } from '../kernel/ids.ts'
import type { FileName } from '../kernel/ids.ts'
import type { Lz4 } from '../kernel/lz4.ts'
import type { FileStore } from '../fs/fs.ts'
import type { JobContext } from './jobs.ts'
import type { GivingWay } from './precedence.ts'
import type { TimeSlices } from './time-slices.ts'

export interface RunContextOptions {
  readonly files: FileStore
  readonly hash: Hash
  readonly clock: Clock
  readonly lz4?: Lz4 | undefined
  readonly slices: TimeSlices
  readonly givingWay?: GivingWay | undefined
  readonly signal: AbortSignal
  readonly outputPrefix: string
  readonly onProgress: (fraction: number) => void
}

export class RunContext implements JobContext {
  readonly files: FileStore
  readonly hash: Hash
  readonly clock: Clock
  readonly lz4: Lz4 | undefined
  readonly signal: AbortSignal
  readonly #slices: TimeSlices
  readonly #givingWay: GivingWay | undefined
  readonly #outputPrefix: string
  readonly #onProgress: (fraction: number) => void
  #outputCount = 0
  /** When the slice began, by `slices.now()`. */
  #sliceStart: number

  constructor(options: RunContextOptions) {
    this.files = options.files
    this.hash = options.hash
    this.clock = options.clock
    this.lz4 = options.lz4
    this.signal = options.signal
    this.#slices = options.slices
    this.#givingWay = options.givingWay
    this.#outputPrefix = options.outputPrefix
    this.#onProgress = options.onProgress
    this.#sliceStart = options.slices.now()
  }

  /** `<prefix><count>.<extension>`, counting from 0. @throws {VarveError} LIMIT_EXCEEDED — no file name */
  outputName(extension: string): FileName {
    return fileName(`${this.#outputPrefix}${this.#outputCount++}.${extension}`)
  }

  progress(fraction: number): void {
    this.#onProgress(fraction)
  }

  async pause(): Promise<void> {
    throwIfAborted(this.signal)
    this.#givingWay?.giveWay()
    // Time spent waiting for I/O counts too: one turn too many costs microseconds.
    if (this.#slices.now() - this.#sliceStart < this.#slices.sliceMs) return
    await this.#slices.turn()
    this.#sliceStart = this.#slices.now()
    throwIfAborted(this.signal)
  }
}
