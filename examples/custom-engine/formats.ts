/**
 * Two formats for the same records, sorted by key. Checksums are compared before anything is interpreted.
 *
 *      rows      blocks of 256 records (key u64, count u64) and a checksum (u32, seeded with file name and first record)
 *      columns   length of the keys, keys (varints: what each adds to the one before), counts (varints); the checksum is
 *                that of the whole file, which the manifest keeps: who adds up everything reads everything
 */
import type { FileReader } from 'varve/fs'
import { Decoder, Encoder, type Hash, VarveError } from 'varve/kernel'

export const ROWS = { name: 'page-views-rows', version: 1 }
export const COLUMNS = { name: 'page-views-columns', version: 1 }
export type Records = readonly (readonly [key: number, count: number])[]
const BLOCK_RECORDS = 256
export const BLOCK_BYTES = BLOCK_RECORDS * 16 + 4

export function encodeRows(records: Records, name: string, hash: Hash): Uint8Array {
  const rows = new Encoder()
  for (let start = 0; start < records.length; start += BLOCK_RECORDS) {
    const block = new Encoder(BLOCK_BYTES)
    for (const value of records.slice(start, start + BLOCK_RECORDS).flat()) block.u64(BigInt(value))
    rows.raw(block.view()).u32(hash.hash32(block.view(), seedOf(name, start, hash)))
  }
  return rows.view()
}

export async function readBlock(file: FileReader, index: number, hash: Hash): Promise<Records> {
  const offset = index * BLOCK_BYTES
  const bytes = await file.read(offset, Math.min(BLOCK_BYTES, file.ref.bytes - offset))
  const from = decoderOf(file, bytes)
  const block = from.raw(bytes.length - 4)
  if (hash.hash32(block, seedOf(file.ref.name, index * BLOCK_RECORDS, hash)) !== from.u32()) damaged(file.ref.name)
  const values = decoderOf(file, block)
  return Array.from({ length: block.length / 16 }, () => [Number(values.u64()), Number(values.u64())])
}

/** The count of `key` in a row file, by binary search over its blocks. */
export async function lookUp(file: FileReader, key: number, hash: Hash): Promise<number> {
  let [low, high] = [0, Math.ceil(file.ref.bytes / BLOCK_BYTES)]
  while (low < high) {
    const middle = (low + high) >>> 1
    const block = await readBlock(file, middle, hash)
    if (key < (block[0]?.[0] ?? 0)) high = middle
    else if (key > (block.at(-1)?.[0] ?? 0)) low = middle + 1
    else return block.find((record) => record[0] === key)?.[1] ?? 0
  }
  return 0
}

export function encodeColumns(records: Records): Uint8Array {
  const [keys, counts] = [new Encoder(), new Encoder()]
  for (const [at, [key, count]] of records.entries()) {
    keys.varint(key - (records[at - 1]?.[0] ?? 0))
    counts.varint(count)
  }
  return new Encoder().bytes(keys.view()).raw(counts.view()).view()
}

export async function readColumns(file: FileReader, hash: Hash): Promise<Records> {
  const bytes = await file.read(0, file.ref.bytes)
  if (hash.hash64(bytes, 0n) !== BigInt(`0x${file.ref.checksum}`)) damaged(file.ref.name)
  const counts = decoderOf(file, bytes)
  const [keys, records] = [decoderOf(file, counts.bytes()), [] as [number, number][]]
  for (let key = 0; keys.remaining > 0;) records.push([(key += keys.varint()), counts.varint()])
  return records
}

const decoderOf = (file: FileReader, bytes: Uint8Array): Decoder => new Decoder(bytes, () => damaged(file.ref.name))
const seedOf = (name: string, first: number, hash: Hash): number => (hash.hash32(Buffer.from(name), 0) + first) >>> 0

export function damaged(file: string): never {
  throw new VarveError('TABLE_CORRUPT', `${file} is damaged`, { details: { file } })
}
