/** Clients of a radosgw of our own, each place below a prefix of its own. */

import { S3Client } from '../../src/fs/s3/s3-client.ts'
import { SystemClock } from '../../src/system-clock.ts'
import { SystemRandom } from '../../src/system-random.ts'
import { RADOSGW_CREDENTIALS } from '../../tools/servers/radosgw.ts'
import type { Radosgw } from '../../tools/servers/radosgw.ts'

const BUCKET = 'varve'

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
