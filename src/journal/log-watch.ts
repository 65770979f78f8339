/**
 * Whether the segments are still where their owner has them.
 *
 * A file that is deleted goes on taking writes and syncs, and a file that is cut goes on behind a hole: the system says
 * nothing. So before something is acknowledged after a pause, and every 100 ms while the log grows, the owner looks for the
 * names of the segment that takes writes and of one other, in turn, compares what is there with what it had, and reads the
 * last bytes that the log had at the look before. That takes some 15 µs, and nothing where nobody writes.
 *
 * Not told apart from the log as it was: a cut within what was written since the last look, if the log has grown beyond it
 * by the next, and no zeros were ahead.
 */

import { equalBytes } from '../kernel/bytes.ts'
import type { Clock, Timer } from '../kernel/clock.ts'
import type { Device, DeviceFile, DeviceStat } from '../kernel/device.ts'
import { VarveError, isCode } from '../kernel/errors.ts'
import type { SegmentChain } from './segment-chain.ts'
import type { Segment } from './segment.ts'

/** How long writes may be acknowledged that are lost already. docs/reliability.md says so. */
const WATCH_MS = 100
// Enough that it is not by chance what a hole reads as.
const TAIL_BYTES = 32

/** What the log ended with. */
interface Tail {
  readonly segment: Segment
  readonly file: DeviceFile
  readonly offset: number
  readonly bytes: Uint8Array
}

export class LogWatch {
  readonly #device: Device
  readonly #clock: Clock
  readonly #chain: SegmentChain
  /** What is wholly before this position, a former owner may be removing still: it had been told so before it was replaced. */
  readonly #needed: number
  /** Which file each segment is. */
  readonly #identities = new WeakMap<Segment, number>()
  #timer: Timer | undefined
  #endSeen = -1
  #tail: Tail | undefined
  #turn = 0
  #lost: Error | undefined

  constructor(device: Device, clock: Clock, chain: SegmentChain, needed: number) {
    this.#device = device
    this.#clock = clock
    this.#chain = chain
    this.#needed = needed
  }

  /** Nothing may be acknowledged before another look. */
  get due(): boolean {
    return this.#timer === undefined || this.#lost !== undefined
  }

  /** Where the device reads and writes synchronously. @throws {VarveError} JOURNAL_CORRUPT — a segment has gone */
  lookSync(): void {
    if (this.#lost !== undefined) throw this.#lost
    this.#begin()
    for (const segment of this.#chosen())
      this.#judge(
        segment,
        bytesOf(segment),
        statOrDenied(() => this.#device.statSync(segment.path)),
      )
    const former = this.#formerTail()
    if (former !== undefined) {
      const found = new Uint8Array(TAIL_BYTES)
      compareTail(former, found.subarray(0, former.file.readSync(found, former.offset)))
    }
    const next = this.#nextTail()
    if (next !== undefined) next.file.readSync(next.bytes, next.offset)
    this.#tail = next
  }

  /** As `lookSync`, on any device. */
  async look(): Promise<void> {
    if (this.#lost !== undefined) throw this.#lost
    this.#begin()
    for (const segment of this.#chosen()) {
      const bytes = bytesOf(segment)
      const stat = await this.#device.stat(segment.path).catch(unlessDenied)
      // It may have grown since, or been cut by us.
      this.#judge(segment, Math.min(bytes, bytesOf(segment)), stat)
    }
    const former = this.#formerTail()
    if (former !== undefined) {
      const found = new Uint8Array(TAIL_BYTES)
      const count = await former.file.read(found, former.offset)
      compareTail(former, found.subarray(0, count))
    }
    const next = this.#nextTail()
    if (next !== undefined) await next.file.read(next.bytes, next.offset)
    this.#tail = next
  }

  /** Looks no more. */
  close(): void {
    this.#timer?.cancel()
    this.#timer = undefined
    this.#tail = undefined
  }

  #begin(): void {
    this.#endSeen = this.#chain.end
    this.#timer?.cancel()
    this.#timer = this.#clock.after(WATCH_MS, () => this.#tick())
  }

  /** While the log grows; whoever acknowledges something after a pause looks first. */
  #tick(): void {
    this.#timer = undefined
    if (this.#chain.end === this.#endSeen) return
    const { syncRead, syncWrite } = this.#device.supports
    if (!syncRead || !syncWrite) {
      this.look().catch((error: unknown) => (this.#lost ??= error as Error))
      return
    }
    try {
      this.lookSync()
    } catch (error) {
      this.#lost ??= error as Error
    }
  }

  /** The newest, and one of the others. */
  #chosen(): readonly Segment[] {
    const segments = this.#chain.segments.filter(({ end }) => end > this.#needed)
    if (segments.length < 3) return segments
    return [segments.at(-1) as Segment, segments[this.#turn++ % (segments.length - 1)] as Segment]
  }

  #judge(segment: Segment, bytesMin: number, stat: DeviceStat | 'denied' | undefined): void {
    // Who may not look any more, cannot tell. What has been dropped meanwhile is not missed.
    if (stat === 'denied' || !segment.present || !segment.kept) return
    if (stat === undefined) throw gone(segment, 'it is not there any more')
    const identity = this.#identities.get(segment)
    if (identity === undefined) this.#identities.set(segment, stat.identity)
    else if (identity !== stat.identity) throw gone(segment, 'there is another file in its place')
    if (stat.bytes < bytesMin) throw gone(segment, `it has ${stat.bytes} bytes, where ${bytesMin} were written`)
  }

  #formerTail(): Tail | undefined {
    return this.#tail?.segment.kept === true ? this.#tail : undefined
  }

  #nextTail(): Tail | undefined {
    const segment = this.#chain.segments.at(-1)
    if (segment?.lent === undefined || segment.endOffset === undefined) return undefined
    const offset = Math.max(0, segment.endOffset - TAIL_BYTES)
    return { segment, file: segment.lent, offset, bytes: new Uint8Array(segment.endOffset - offset) }
  }
}

/**
 * What is behind the log in a segment of a former owner, that one may be cutting off: it had begun before it was
 * replaced. Where the log ends in it is known once it has been replayed.
 */
function bytesOf({ lent, storedBytes, endOffset }: Segment): number {
  return lent === undefined ? (endOffset ?? 0) : storedBytes
}

function compareTail({ segment, bytes, offset }: Tail, found: Uint8Array): void {
  if (equalBytes(found.subarray(0, bytes.length), bytes)) return
  throw gone(segment, `what was written at ${offset} is not there any more`)
}

function statOrDenied(stat: () => DeviceStat | undefined): DeviceStat | 'denied' | undefined {
  try {
    return stat()
  } catch (error) {
    return unlessDenied(error)
  }
}

function unlessDenied(error: unknown): 'denied' | undefined {
  if (isCode(error, 'PERMISSION_DENIED')) return 'denied'
  // A file in the place of a directory above.
  if (isCode(error, 'NOT_FOUND')) return undefined
  throw error
}

function gone({ path }: Segment, reason: string): VarveError {
  const remedy =
    'Reads go on: copy what this database still has, or close it and put the file back; varve repair saves the rest'
  return new VarveError(
    'JOURNAL_CORRUPT',
    `journal file ${path} was deleted, replaced or cut while the journal was open: ${reason}. What was acknowledged last may be lost. ${remedy}`,
    { details: { file: path, offset: 0, reason } },
  )
}
