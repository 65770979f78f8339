/**
 * Whether a store can be trusted with what everything rests on: conditional writes, and ranges.
 *
 * There are stores that ignore a condition they do not know, which then only shows when two owners of a shard overwrite
 * each other; and stores that mind conditions one after the other but not at once. So before anything is kept in a store,
 * it is tried: a stale condition must be refused, of two writes that race at most one may be answered with success, and
 * what is there afterwards must be what the winner wrote. An answer that is neither success nor refusal says nothing, and
 * the race is run again.
 */

import { VarveError, isCode } from '../../kernel/errors.ts'
import { equalBytes } from '../../kernel/bytes.ts'
import { nonce } from '../../kernel/random.ts'
import { answerError } from './answer-error.ts'
import { conditionalPut, etagOf } from './conditional-write.ts'
import type { EtagStyle, WriteCondition } from './conditional-write.ts'
import { probeKey } from './object-keys.ts'
import { Opening } from './opening.ts'
import { readRange } from './range-read.ts'
import { isSuccess, isUnanswered } from './s3-client.ts'
import type { S3Client } from './s3-client.ts'

// A store that minds conditions only one after the other loses most races: two say enough, and cost little.
const RACES = 2
// Races that nobody won: those of radosgw always have a winner, but a server that is starting may fail both.
const UNDECIDED_MAX = 6

const ABSENT: WriteCondition = Object.freeze({ type: 'absent' })

/** @throws {VarveError} UNSUPPORTED — files cannot be kept there; details: capability; IO_FAILED — as `Opening.run` */
export function probeFiles(client: S3Client): Promise<void> {
  return Opening.run(client, async (opening) => {
    const probe = new Probe(client, opening)
    try {
      for (let race = 0; race < RACES; race++) {
        await probe.race(() => ABSENT, 'If-None-Match')
        await probe.checkRefused(ABSENT, 'If-None-Match')
        if (race === 0) await probe.checkRanges()
        await probe.remove()
      }
    } finally {
      await probe.remove().catch(() => undefined)
    }
  })
}

/**
 * @returns how the store wants ETags in conditions
 * @throws {VarveError} UNSUPPORTED — heads cannot be kept there; details: capability; IO_FAILED — as `Opening.run`
 */
export function probeHeads(client: S3Client): Promise<EtagStyle> {
  return Opening.run(client, async (opening) => {
    const probe = new Probe(client, opening)
    try {
      await probe.race(() => ABSENT, 'If-None-Match')
      const style = await probe.findStyle()
      for (let race = 0; race < RACES; race++) {
        const before = await probe.race((etag) => ({ type: 'unchanged', etag, style }), 'If-Match')
        await probe.checkRefused({ type: 'unchanged', etag: before, style }, 'If-Match')
      }
      await probe.checkRefused(ABSENT, 'If-None-Match')
      return style
    } finally {
      await probe.remove().catch(() => undefined)
    }
  })
}

/** One object that is there for trying things out. */
class Probe {
  readonly #client: S3Client
  readonly #opening: Opening
  #key: string
  /** What was written last. */
  #content = new Uint8Array(0)
  #etag = ''
  #mayBeThere = false

  constructor(client: S3Client, opening: Opening) {
    this.#client = client
    this.#opening = opening
    this.#key = probeKey(nonce(client.random))
  }

  /**
   * Two writes at once, on the same condition.
   *
   * @param condition given the ETag of what is there
   * @returns the ETag from before
   */
  async race(condition: (etag: string) => WriteCondition, capability: string): Promise<string> {
    this.#mayBeThere = true
    for (let undecided = 1; ; undecided++) {
      const etag = this.#etag
      const runners = [this.#newContent(), this.#newContent()]
      const outcomes = await Promise.all(runners.map((content) => this.#attempt(condition(etag), content)))
      const won = runners.filter((_, index) => outcomes[index] === 'done')
      if (won.length > 1) throw unfit(capability, 'of two writes on the same condition both were answered with success')
      const found = await this.#found()
      const [winner] = won
      if (winner !== undefined && (found === undefined || !equalBytes(found.content, winner)))
        throw unfit(capability, 'of two writes on the same condition the one that was refused took effect')
      const written = runners.find((content) => found !== undefined && equalBytes(content, found.content))
      if (written !== undefined && found !== undefined) {
        this.#content = written
        this.#etag = found.etag
        return etag
      }
      // An earlier write has arrived meanwhile, or nothing has changed.
      this.#etag = found?.etag ?? ''
      if (undecided === UNDECIDED_MAX) {
        throw new VarveError('IO_FAILED', `of two writes neither took effect, ${UNDECIDED_MAX} times in a row`, {
          details: { operation: 'probe' },
        })
      }
      await this.#delay(undecided)
    }
  }

  /** A write on a condition that does not hold. */
  async checkRefused(condition: WriteCondition, capability: string): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      const outcome = await this.#attempt(condition, this.#newContent())
      if (outcome === 'done') throw unfit(capability, 'a write whose condition does not hold was answered with success')
      if (outcome === 'refused') break
      if (attempt === UNDECIDED_MAX) break
      await this.#delay(attempt)
    }
    const found = await this.#found()
    if (found === undefined || !equalBytes(found.content, this.#content))
      throw unfit(capability, 'a write whose condition does not hold took effect')
  }

  /** As RFC 9110 has it, an ETag is quoted; radosgw compares the quotes with those it does not keep. */
  async findStyle(): Promise<EtagStyle> {
    for (const style of ['quoted', 'bare'] as const) {
      for (let attempt = 1; attempt <= UNDECIDED_MAX; attempt++) {
        const content = this.#newContent()
        const outcome = await this.#attempt({ type: 'unchanged', etag: this.#etag, style }, content)
        const found = await this.#found()
        this.#etag = found?.etag ?? ''
        if (found !== undefined && equalBytes(found.content, content)) {
          this.#content = content
          return style
        }
        if (outcome === 'done') throw unfit('If-Match', 'a write that was answered with success did not take effect')
        if (outcome === 'refused') break
        await this.#delay(attempt)
      }
    }
    throw unfit('If-Match', 'a write whose condition holds is refused')
  }

  async checkRanges(): Promise<void> {
    const { length } = this.#content
    for (const [start, limit] of [
      [3, 11],
      [length - 5, length],
      [length - 5, length + 5],
    ] as const) {
      let found: { bytes: Uint8Array; totalBytes: number } | undefined
      try {
        found = await readRange(this.#client, this.#key, start, limit - start, this.#opening.signal)
      } catch (error) {
        if (isCode(error, 'IO_FAILED') && error.details['operation'] === 'read')
          throw unfit('ranges', error.message, error)
        throw error
      }
      this.#opening.answered()
      if (found?.totalBytes !== length || !equalBytes(found.bytes, this.#content.subarray(start, limit)))
        throw unfit('ranges', `bytes ${start}-${limit - 1} of ${length} are not what was written`)
    }
  }

  /** What comes next is another object: a removal that arrives late is none of its business. */
  async remove(): Promise<void> {
    if (!this.#mayBeThere) return
    this.#mayBeThere = false
    const key = this.#key
    this.#key = probeKey(nonce(this.#client.random))
    this.#etag = ''
    await this.#client.request({ method: 'DELETE', key, signal: this.#opening.signal }, [404])
    this.#opening.answered()
  }

  /** One PUT. `unknown`: neither success nor refusal. */
  async #attempt(condition: WriteCondition, content: Uint8Array): Promise<'done' | 'refused' | 'unknown'> {
    const write = { key: this.#key, mark: nonce(this.#client.random), condition }
    try {
      const { signal } = this.#opening
      const answer = await conditionalPut(this.#client, write, content, { signal }).send(1)
      if (isSuccess(answer) || answer.status === 412) {
        this.#opening.answered()
        return answer.status === 412 ? 'refused' : 'done'
      }
      if (answer.status === 501) throw unfit('conditional writes', 'they are not implemented')
      // Without access or a bucket, nothing comes of further attempts.
      if (answer.status === 401 || answer.status === 403 || (answer.status === 404 && condition.type === 'absent'))
        throw answerError('a conditional write', this.#client.bucket, answer)
      return 'unknown'
    } catch (error) {
      if (isUnanswered(error)) return 'unknown'
      throw error
    }
  }

  async #found(): Promise<{ readonly content: Uint8Array; readonly etag: string } | undefined> {
    const answer = await this.#client.request({ method: 'GET', key: this.#key, signal: this.#opening.signal }, [404])
    this.#opening.answered()
    return answer.status === 404 ? undefined : { content: answer.body, etag: etagOf(answer) ?? '' }
  }

  #delay(attempt: number): Promise<void> {
    return this.#client.delay(attempt, this.#opening.signal)
  }

  #newContent(): Uint8Array<ArrayBuffer> {
    const text = Array.from({ length: 4 }, () => nonce(this.#client.random)).join('')
    return new TextEncoder().encode(text)
  }
}

function unfit(capability: string, reason: string, cause?: unknown): VarveError {
  return new VarveError('UNSUPPORTED', `this store cannot be used, its ${capability} cannot be trusted: ${reason}`, {
    details: { capability },
    cause,
  })
}
