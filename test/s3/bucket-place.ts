/** A bucket for the tests of one file: of radosgw where that is to be had, of a double where not. */

import type { S3Client } from '../../src/fs/s3/s3-client.ts'
import { Radosgw, whyNoRadosgw } from '../../tools/servers/radosgw.ts'
import { makeBucket, radosgwClient } from './radosgw-place.ts'
import { S3Double } from './s3-double.ts'
import { clientOf } from './s3-place.ts'

export class BucketPlace {
  readonly #server: Radosgw | undefined
  readonly #double = new S3Double()
  /** For people. */
  readonly name: string
  #clients = 0

  private constructor(server: Radosgw | undefined, name: string) {
    this.#server = server
    this.name = name
  }

  static async start(): Promise<BucketPlace> {
    const reason = whyNoRadosgw()
    if (reason !== undefined) return new BucketPlace(undefined, `a double of S3: ${reason}`)
    const server = await Radosgw.start()
    await makeBucket(server)
    return new BucketPlace(server, 'radosgw')
  }

  /** Of the same bucket as the others. The caller closes it. */
  client(): S3Client {
    this.#clients++
    return this.#server === undefined ? clientOf(this.#double, this.#clients) : radosgwClient(this.#server, 'files/')
  }

  async stop(): Promise<void> {
    await this.#server?.stop()
  }
}
