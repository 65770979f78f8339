/**
 * A large object, uploaded in parts that show when all of them are there.
 *
 * It gets its name only if nobody has it. Not every store minds the condition of the last request: radosgw does not.
 * So whoever is about to complete an upload first claims the name with an object of its own, whose condition every store
 * minds that `probe.ts` let pass, and looks whether the name is taken. Of several who complete uploads of one name, one
 * has the claim.
 */

import { VarveError } from '../../kernel/errors.ts'
import { answerError } from './answer-error.ts'
import { MARK_HEADER, conditionalPut, objectState, writeConditionally } from './conditional-write.ts'
import type { WriteOutcome } from './conditional-write.ts'
import type { HttpResponse } from './http.ts'
import { describe } from './s3-client.ts'
import type { S3Client } from './s3-client.ts'
import { elementText, elements, escapeText } from './xml.ts'

// S3's limit.
const PARTS_MAX = 10_000

const TEXT = new TextEncoder()

export class MultipartUpload {
  readonly #client: S3Client
  readonly #key: string
  readonly #claimKey: string
  readonly #mark: string
  readonly #id: string
  /** ETags of parts by number, from 1 on, as the store wrote them. */
  readonly #etags: string[] = []
  #claimed = false

  private constructor(client: S3Client, keys: UploadKeys, mark: string, id: string) {
    this.#client = client
    this.#key = keys.key
    this.#claimKey = keys.claimKey
    this.#mark = mark
    this.#id = id
  }

  /** @param mark tells the object from any other that may have its name */
  static async begin(client: S3Client, keys: UploadKeys, mark: string): Promise<MultipartUpload> {
    const { key } = keys
    const answer = await client.request({
      method: 'POST',
      key,
      query: { uploads: '' },
      headers: { [MARK_HEADER]: mark },
    })
    const id = elementText(new TextDecoder().decode(answer.body), 'UploadId')
    if (id === undefined || id === '')
      throw answerError(`${describe({ method: 'POST', key })} (no upload)`, client.bucket, answer)
    return new MultipartUpload(client, keys, mark, id)
  }

  /**
   * Uploads one part. Several may be under way.
   *
   * @param number from 1 on
   * @param bytes lent until the promise settles
   * @throws {VarveError} LIMIT_EXCEEDED — more parts than an object may have
   */
  async put(number: number, bytes: Uint8Array, bodyDigest: string): Promise<void> {
    if (number > PARTS_MAX) {
      throw new VarveError('LIMIT_EXCEEDED', `${this.#key} has more than ${PARTS_MAX} parts: raise partBytes`, {
        details: { what: 'parts', size: number, limit: PARTS_MAX },
      })
    }
    const answer = await this.#client.request({
      method: 'PUT',
      key: this.#key,
      query: { partNumber: String(number), uploadId: this.#id },
      body: bytes,
      bodyDigest,
    })
    const etag = answer.headers['etag']
    if (etag === undefined)
      throw answerError(`${describe({ method: 'PUT', key: this.#key })} (no ETag)`, this.#client.bucket, answer)
    this.#etags[number] = etag
  }

  /** Makes an object of the parts, if its name is free. */
  async complete(): Promise<WriteOutcome> {
    const claim = await writeConditionally(
      this.#client,
      conditionalPut(
        this.#client,
        { key: this.#claimKey, mark: this.#mark, condition: { type: 'absent' } },
        TEXT.encode(this.#mark),
      ),
    )
    if (claim.type !== 'done') return claim
    this.#claimed = true
    const taken = await objectState(this.#client, this.#key)
    if (taken !== undefined) return { type: 'conflict', found: taken }

    const parts = this.#etags.flatMap((etag, number) => [
      `<Part><PartNumber>${number}</PartNumber><ETag>${escapeText(etag)}</ETag></Part>`,
    ])
    const body = TEXT.encode(`<CompleteMultipartUpload>${parts.join('')}</CompleteMultipartUpload>`)
    let conditional = true
    const outcome = await writeConditionally(this.#client, {
      key: this.#key,
      mark: this.#mark,
      condition: { type: 'absent' },
      send: async (attempt) => {
        const answer = await this.#complete(body, conditional, attempt)
        if (answer.status !== 501) return answer
        conditional = false
        return this.#complete(body, conditional, attempt)
      },
    })
    if (outcome.type === 'done') await this.#release()
    return outcome
  }

  /** Discards the parts. Idempotent. @param release the claim, too: it is known that no object came of them */
  async abort(release: boolean): Promise<void> {
    const query = { uploadId: this.#id }
    await this.#client.request({ method: 'DELETE', key: this.#key, query }, [404])
    if (release) await this.#release()
  }

  async #complete(body: Uint8Array, conditional: boolean, attempt: number): Promise<HttpResponse> {
    const headers: Record<string, string> = { 'content-type': 'application/xml' }
    if (conditional) headers['if-none-match'] = '*'
    const query = { uploadId: this.#id }
    const answer = await this.#client.once({ method: 'POST', key: this.#key, query, headers, body }, attempt)
    if (answer.status !== 200) return answer
    // It begins to answer before it is done, and may say later that it failed; or somebody else on the way has answered.
    if (elements(new TextDecoder().decode(answer.body), 'CompleteMultipartUploadResult').length === 0)
      return { ...answer, headers: {} }
    // Not every store says what an object of parts is called by: nobody asks for it.
    return { ...answer, headers: { etag: 'of parts' }, body: new Uint8Array(0) }
  }

  /** A claim that stays says that the name is taken, which is true. */
  async #release(): Promise<void> {
    if (!this.#claimed) return
    this.#claimed = false
    await this.#client.request({ method: 'DELETE', key: this.#claimKey }, [404]).catch(() => undefined)
  }
}

export interface UploadKeys {
  /** Of the object. */
  readonly key: string
  /** Of the claim of its name. */
  readonly claimKey: string
}
