/** Messages out of frames. Memory is taken as frames arrive, and the whole is bounded. */

import { concatBytes } from '../kernel/bytes.ts'
import { LIMITS, MIB } from '../kernel/limits.ts'
import type { Frame, FrameKind } from './frame.ts'

export interface IncomingMessage {
  readonly kind: FrameKind
  readonly call: number
  readonly control: Uint8Array
  readonly body: Uint8Array
}

/** Of one message: the largest journal batch, or the largest block, with room for what is said beside it. */
const MESSAGE_BYTES_MAX = LIMITS.batchBytesMax + MIB

interface Unfinished {
  readonly kind: FrameKind
  readonly control: Uint8Array
  readonly parts: Uint8Array[]
  bytes: number
}

export class Inbox {
  readonly #unfinished = new Map<number, Unfinished>()
  #bytes = 0

  /** Of messages that are not complete. */
  get bytes(): number {
    return this.#bytes
  }

  /** Messages that are not complete. */
  get count(): number {
    return this.#unfinished.size
  }

  /** The message that `frame` completes; undefined: it is not complete; a text: why there can be none. */
  add(frame: Frame): IncomingMessage | string | undefined {
    const { kind, call, more, control, body } = frame
    const begun = this.#unfinished.get(call)
    if (begun === undefined) {
      if (!more) return { kind, call, control, body }
      this.#unfinished.set(call, { kind, control, parts: [body], bytes: body.length })
      this.#bytes += body.length
      return undefined
    }
    if (begun.kind !== kind || control.length > 0) return 'a message began within another'
    begun.parts.push(body)
    begun.bytes += body.length
    this.#bytes += body.length
    if (begun.bytes > MESSAGE_BYTES_MAX) return `a message of more than ${MESSAGE_BYTES_MAX} bytes`
    if (more) return undefined
    this.drop(call)
    return { kind, call, control: begun.control, body: concatBytes(begun.parts) }
  }

  /** Nothing more is expected of this call. */
  drop(call: number): void {
    this.#bytes -= this.#unfinished.get(call)?.bytes ?? 0
    this.#unfinished.delete(call)
  }
}
