/** What a key column is read by: footer, index, blocks, and all of it. */

import type { Hash } from '../../src/kernel/hash.ts'
import { fileName } from '../../src/kernel/ids.ts'
import { MemoryFileStore } from '../../src/fs/memory-file-store.ts'
import { PART_BLOCK, PART_FOOTER, PART_INDEX, fileIdentity, partSeed } from '../../src/sst/file-identity.ts'
import { decodeKeyColumnBlock, decodeKeyColumnFooter, decodeKeyColumnIndex } from '../../src/sst/key-column.ts'
import { KeyColumnReader } from '../../src/sst/key-column-reader.ts'
import { KeyColumnWriter } from '../../src/sst/key-column-writer.ts'
import { batchesOf } from '../../src/testing/entry-model.ts'
import type { ModelEntry } from '../../src/testing/entry-model.ts'
import { contentOf } from '../../src/testing/table-bench.ts'
import { codecTarget } from './fuzz-target.ts'
import type { FuzzTarget } from './fuzz-target.ts'
import { storeFile } from './stored-file.ts'

const NAME = fileName('000001-column')

export async function keyColumnTargets(entries: readonly ModelEntry[], hash: Hash): Promise<readonly FuzzTarget[]> {
  const files = new MemoryFileStore({ hash })
  const writer = new KeyColumnWriter(await files.create(NAME), hash)
  for (const batch of batchesOf(entries, 50)) writer.append(batch, 0, batch.count)
  const ref = await writer.finish()
  const content = await contentOf(files, ref)
  const identity = fileIdentity(hash, NAME)
  const reader = new KeyColumnReader(await files.open(ref), hash)
  const { places } = await reader.summary()
  const [place] = places
  if (place === undefined) throw new Error('a key column without a block')
  const footerAt = content.length - 64
  const indexAt = place.length * places.length
  const block = content.slice(0, place.length)
  const index = content.slice(indexAt, footerAt)
  const blockSeed = partSeed(identity, PART_BLOCK, 0)
  const indexSeed = partSeed(identity, PART_INDEX, indexAt)
  const footerOfColumn = decodeKeyColumnFooter(content.slice(footerAt), NAME, identity, hash, footerAt)
  return [
    codecTarget({
      name: 'key column footer',
      specimens: [content.slice(footerAt)],
      decode: (bytes) => decodeKeyColumnFooter(bytes, NAME, identity, hash, footerAt),
      seal(bytes) {
        if (bytes.length < 64) return
        const seed = partSeed(identity, PART_FOOTER, footerAt)
        new DataView(bytes.buffer).setBigUint64(56, hash.hash64(bytes.subarray(0, 56), seed), true)
      },
    }),
    codecTarget({
      name: 'key column index',
      specimens: [index],
      decode: (bytes) =>
        decodeKeyColumnIndex(
          bytes,
          { ...footerOfColumn, indexChecksum: hash.hash64(bytes, indexSeed) },
          NAME,
          identity,
          hash,
        ),
    }),
    codecTarget({
      name: 'key column block',
      specimens: [block],
      decode(bytes) {
        // Whoever forges a block forges its count in the index.
        for (const entryCount of new Set([place.entryCount, countOf(bytes)])) {
          const checksum = hash.hash64(bytes, blockSeed)
          decodeKeyColumnBlock(bytes, { offset: 0, length: bytes.length, entryCount, checksum }, NAME, identity, hash)
        }
      },
    }),
    {
      name: 'key column',
      specimens: [[content]],
      join: (pieces) => pieces,
      async parse([bytes = new Uint8Array(0)]) {
        const store = new MemoryFileStore({ hash })
        const file = await store.open(await storeFile(store, NAME, bytes))
        await new KeyColumnReader(file, hash).verify()
      },
      share: 100,
      heapBytes: 256 * 1024,
    },
  ]
}

function countOf(bytes: Uint8Array): number {
  const [first = 0, second = 0] = bytes
  return first < 0x80 ? first : (first & 0x7f) + second * 0x80
}
