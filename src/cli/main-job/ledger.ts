/**
 * What has been ingested, kept beside the shard, so that another process can tell what must be there and what must be
 * gone, without believing the shard.
 *
 *      magic "varve-demo-1\n" │ root │ count │ files … │ xxh64 of all before, u64
 *      file: path │ size │ mode │ mtimeMs │ content hash, u64 │ deleted, u8
 *
 * Integers are varints where no width is given, byte strings carry their length. The file is small and written whole.
 */

import { readFile, rename, writeFile } from 'node:fs/promises'
import { Decoder, Encoder } from '../../kernel/codec.ts'
import type { Hash } from '../../kernel/hash.ts'
import type { IngestedFile } from './ingested-file.ts'

export interface Ledger {
  /** The input directory, absolute. */
  readonly root: string
  /** In the order of their paths' bytes. */
  readonly files: readonly IngestedFile[]
}

const MAGIC = Buffer.from('varve-demo-1\n')
const CHECKSUM_BYTES = 8
// An empty path, four one-byte integers and a hash.
const FILE_BYTES_MIN = 13

export async function writeLedger(path: string, ledger: Ledger, hash: Hash): Promise<void> {
  const encoder = new Encoder().raw(MAGIC).text(ledger.root).varint(ledger.files.length)
  for (const { path: name, stamp, contentHash, deleted } of ledger.files) {
    encoder.bytes(name).varint(stamp.size).varint(stamp.mode)
    // Before 1970 is possible: an offset of 2^51 ms is some 71,000 years.
    encoder
      .varint(stamp.mtimeMs + 2 ** 51)
      .u64(contentHash)
      .u8(deleted ? 1 : 0)
  }
  encoder.u64(hash.hash64(encoder.view(), 0n))
  const unfinished = `${path}.part`
  await writeFile(unfinished, encoder.view())
  await rename(unfinished, path)
}

/** @throws {Error} there is none, or it is damaged */
export async function readLedger(path: string, hash: Hash): Promise<Ledger> {
  const bytes = await readFile(path)
  const fail = (reason: string): never => {
    throw new Error(`${path} is no record of what a demo has ingested: ${reason}`)
  }
  const body = bytes.subarray(0, Math.max(0, bytes.length - CHECKSUM_BYTES))
  const decoder = new Decoder(bytes, fail)
  if (!MAGIC.equals(decoder.raw(Math.min(MAGIC.length, bytes.length)))) fail('it begins otherwise')
  const checksum = new Decoder(bytes.subarray(body.length), fail).u64()
  if (checksum !== hash.hash64(body, 0n)) fail('its checksum is wrong')
  const root = decoder.text()
  const files: IngestedFile[] = []
  const count = decoder.count(FILE_BYTES_MIN)
  for (let index = 0; index < count; index++) {
    const name = Buffer.from(decoder.bytes())
    const stamp = { size: decoder.varint(), mode: decoder.varint(), mtimeMs: decoder.varint() - 2 ** 51 }
    files.push({ path: name, stamp, contentHash: decoder.u64(), deleted: decoder.u8() === 1 })
  }
  return { root, files }
}
