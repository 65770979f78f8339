/** Clients and stores over an S3 double, for tests: time passes for them without being waited for. */

import { loadHash } from '../../src/kernel/hash.ts'
import type { Timer } from '../../src/kernel/clock.ts'
import { S3Client } from '../../src/fs/s3/s3-client.ts'
import type { S3ClientOptions } from '../../src/fs/s3/s3-client.ts'
import { S3FileStore } from '../../src/fs/s3/s3-file-store.ts'
import { S3HeadStore } from '../../src/fs/s3/s3-head-store.ts'
import { S3_DEFAULTS } from '../../src/fs/s3/settings.ts'
import { SeededRandom } from '../../src/testing/seeded-random.ts'
import { SimulatedClock } from '../../src/testing/simulated-clock.ts'
import type { S3Double } from './s3-double.ts'

const hash = await loadHash()

export const S3_CREDENTIALS = Object.freeze({ accessKeyId: 'testaccess', secretAccessKey: 'testsecretkey0123456789' })

/** Delays between attempts pass at once, and are written down; time limits stand until the clock is moved. */
export class HastyClock extends SimulatedClock {
  readonly delays: number[] = []

  override after(delayMs: number, task: () => void): Timer {
    if (delayMs >= S3_DEFAULTS.openMs) return super.after(delayMs, task)
    this.delays.push(delayMs)
    let cancelled = false
    setImmediate(() => void (cancelled || task()))
    return { cancel: () => void (cancelled = true) }
  }
}

/** A client of `double`. @param seed of its nonces: two clients of one double need two */
export function clientOf(double: S3Double, seed: number, options: Partial<S3ClientOptions> = {}): S3Client {
  return new S3Client({
    endpoint: 'http://s3.test',
    bucket: double.bucket,
    credentials: S3_CREDENTIALS,
    clock: new HastyClock(),
    random: new SeededRandom(seed),
    transport: double.transport(),
    ...options,
  })
}

export function openS3Files(client: S3Client): Promise<S3FileStore> {
  return S3FileStore.open({ client, hash })
}

export function openS3Heads(client: S3Client): Promise<S3HeadStore> {
  return S3HeadStore.open({ client, hash })
}
