/** A radosgw of our own for the tests of a file, and its clients, each place below a prefix of its own. */

import { after, test } from 'node:test'
import { S3Client } from '../../src/fs/s3/s3-client.ts'
import { SystemClock } from '../../src/system-clock.ts'
import { SystemRandom } from '../../src/system-random.ts'
import { RADOSGW_CREDENTIALS, Radosgw, whyNoRadosgw } from '../../tools/servers/radosgw.ts'

const BUCKET = 'varve'

/**
 * One with a bucket, which ends after the tests of this file; where there is none, `what` is skipped, with the reason.
 *
 * @returns undefined: there is none
 */
export async function radosgwOrSkip(what: string): Promise<Radosgw | undefined> {
  const skip = whyNoRadosgw()
  if (skip !== undefined) {
    test(what, { skip }, () => undefined)
    return undefined
  }
  const server = await Radosgw.start()
  after(() => server.stop())
  await makeBucket(server)
  return server
}

/** Once for a server. */
export async function makeBucket(server: Radosgw): Promise<void> {
  const client = radosgwClient(server, '')
  await client.request({ method: 'PUT', key: '' })
  await client.close()
}

/** The caller closes it. */
export function radosgwClient({ endpoint }: Radosgw, prefix: string): S3Client {
  return new S3Client({
    endpoint,
    bucket: BUCKET,
    prefix,
    credentials: RADOSGW_CREDENTIALS,
    clock: new SystemClock(),
    random: new SystemRandom(),
  })
}
