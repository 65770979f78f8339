/** What a client has asked of its server, and what that costs where every request has a price. */

import { GIB } from '../../kernel/limits.ts'

/** Since the client was made. Every attempt counts: whoever sends the bill counts them, too. */
export interface S3Usage {
  /** PUT and POST: objects, parts, beginning and completing uploads. */
  readonly writes: number
  /** GET and HEAD of objects. */
  readonly reads: number
  /** Pages of lists, of objects and of uploads. */
  readonly lists: number
  /** Of one object or of up to a thousand. */
  readonly deletes: number
  /** Attempts after the first of a request. Contained in the numbers above. */
  readonly retries: number
  /** Of bodies of requests. */
  readonly sentBytes: number
  /** Of bodies of answers. */
  readonly receivedBytes: number
}

/** In dollars. */
export interface S3Prices {
  /** Of a thousand `writes`. */
  readonly perThousandWrites: number
  /** Of a thousand `reads`. */
  readonly perThousandReads: number
  /** Of a thousand `lists`. */
  readonly perThousandLists: number
  /** Of a thousand `deletes`. */
  readonly perThousandDeletes: number
  /** Of 2^30 `receivedBytes`. */
  readonly perReceivedGib: number
}

/** Amazon S3 Standard in us-east-1, to a machine in the same region: bytes are free there. */
export const S3_PRICES: S3Prices = Object.freeze({
  perThousandWrites: 0.005,
  perThousandReads: 0.0004,
  perThousandLists: 0.005,
  perThousandDeletes: 0,
  perReceivedGib: 0,
})

/** What the requests and bytes of `usage` cost, in dollars. What is stored costs beside that. */
export function costOf(usage: S3Usage, prices: Partial<S3Prices> = {}): number {
  const { perThousandWrites, perThousandReads, perThousandLists, perThousandDeletes, perReceivedGib } = {
    ...S3_PRICES,
    ...prices,
  }
  const requests =
    usage.writes * perThousandWrites +
    usage.reads * perThousandReads +
    usage.lists * perThousandLists +
    usage.deletes * perThousandDeletes
  return requests / 1000 + (usage.receivedBytes / GIB) * perReceivedGib
}

/** What a request is counted as. */
export type S3RequestKind = 'writes' | 'reads' | 'lists' | 'deletes'

export class UsageMeter {
  #usage: S3Usage = Object.freeze({
    writes: 0,
    reads: 0,
    lists: 0,
    deletes: 0,
    retries: 0,
    sentBytes: 0,
    receivedBytes: 0,
  })

  get usage(): S3Usage {
    return this.#usage
  }

  sent(kind: S3RequestKind, bytes: number, attempt: number): void {
    const { retries, sentBytes } = this.#usage
    this.#usage = Object.freeze({
      ...this.#usage,
      [kind]: this.#usage[kind] + 1,
      retries: retries + (attempt > 1 ? 1 : 0),
      sentBytes: sentBytes + bytes,
    })
  }

  received(bytes: number): void {
    this.#usage = Object.freeze({ ...this.#usage, receivedBytes: this.#usage.receivedBytes + bytes })
  }
}
