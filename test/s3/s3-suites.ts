/** The conformance suites of both ports over one S3-compatible store. */

import { loadHash } from '../../src/kernel/hash.ts'
import type { S3Client } from '../../src/fs/s3/s3-client.ts'
import { testFileStore } from '../../src/testing/file-store-conformance.ts'
import type { FileStoreSuite } from '../../src/testing/file-store-conformance.ts'
import { testHeadStore } from '../../src/testing/head-store-conformance.ts'
import { openS3Files, openS3Heads } from './s3-place.ts'

const hash = await loadHash()

export interface S3Place {
  /** Another process's client of the same objects. */
  client(): S3Client
}

export interface S3Suite {
  readonly test: FileStoreSuite['test']
  readonly name: string
  /** An empty place, one for each test. */
  readonly open: () => Promise<S3Place>
}

const REASON = 'the power of a store elsewhere is not ours to cut'

export function testS3Stores({ test, name, open }: S3Suite): void {
  testFileStore({
    test,
    name: `files on ${name}`,
    hash,
    open: () => opened(open, openS3Files),
    skip: [
      {
        test: 'a finished file survives a power cut, an unfinished one leaves nothing that can be seen',
        reason: REASON,
      },
    ],
  })
  testHeadStore({
    test,
    name: `heads on ${name}`,
    open: () => opened(open, openS3Heads),
    skip: [{ test: 'what was set survives a power cut', reason: REASON }],
  })
}

async function opened<Store>(
  open: S3Suite['open'],
  openStore: (client: S3Client) => Promise<Store>,
): Promise<{ open: () => Promise<Store>; dispose: () => Promise<void> }> {
  const place = await open()
  const clients: S3Client[] = []
  return {
    open: () => {
      const client = place.client()
      clients.push(client)
      return openStore(client)
    },
    dispose: async () => {
      for (const client of clients) await client.close()
    },
  }
}
