/**
 * The patience of those who open a store: it ends when nothing useful has been answered for `openMs`.
 *
 * What is lost under way while a store is in use is made again for as long as that may help. Whoever opens one has often
 * mistyped its address, or may not reach it from here, and wants to be told.
 */

import { VarveError, isCode } from '../../kernel/errors.ts'
import type { Timer } from '../../kernel/clock.ts'
import { isUnanswered } from './s3-client.ts'
import type { S3Client } from './s3-client.ts'

export class Opening {
  readonly #client: S3Client
  readonly #giveUp = new AbortController()
  #timer: Timer

  private constructor(client: S3Client) {
    this.#client = client
    this.#timer = this.#start()
  }

  /** @throws {VarveError} IO_FAILED — nothing useful was answered for up to `openMs`; and whatever `work` throws */
  static async run<T>(client: S3Client, work: (opening: Opening) => Promise<T>): Promise<T> {
    const opening = new Opening(client)
    try {
      return await work(opening)
    } catch (error) {
      if (isUnanswered(error)) throw opening.#silence(error)
      throw opening.signal.aborted && isCode(error, 'ABORTED') ? opening.#silence(client.trouble) : error
    } finally {
      opening.#timer.cancel()
    }
  }

  /** Belongs to every request of the opening. */
  get signal(): AbortSignal {
    return this.#giveUp.signal
  }

  /** The store has answered something that helps: patience begins anew. */
  answered(): void {
    this.#timer.cancel()
    this.#timer = this.#start()
  }

  #start(): Timer {
    return this.#client.clock.after(this.#client.settings.openMs, () => this.#giveUp.abort(), { keepAlive: true })
  }

  #silence(trouble: VarveError | undefined): VarveError {
    const { bucket } = this.#client
    const { openMs } = this.#client.settings
    const reason = trouble?.message ?? 'nothing came back at all'
    const wayOut = 'are endpoint and credentials right, and can it be reached from here? openMs is how long is waited'
    return new VarveError('IO_FAILED', `${bucket} gave no useful answer in ${openMs} ms: ${reason}; ${wayOut}`, {
      details: { operation: 'open', path: bucket, openMs },
      cause: trouble,
    })
  }
}
