/** What the file layer reads: lock file, head file, encrypted files and heads. */

import { loadHash } from '../../src/kernel/hash.ts'
import type { Hash } from '../../src/kernel/hash.ts'
import { fileName, shardId } from '../../src/kernel/ids.ts'
import { EncryptedFileStore } from '../../src/fs/encrypted-file-store.ts'
import { EncryptedHeadStore } from '../../src/fs/encrypted-head-store.ts'
import { decodeHeadFile, encodeHeadFile } from '../../src/fs/head-file.ts'
import { KeyRing } from '../../src/fs/key-ring.ts'
import { readLockFile, writeLockFile } from '../../src/fs/lock-file.ts'
import { MemoryFileStore } from '../../src/fs/memory-file-store.ts'
import { MemoryHeadStore } from '../../src/fs/memory-head-store.ts'
import { SeededRandom } from '../../src/testing/seeded-random.ts'
import { SimulatedDevice } from '../../src/testing/simulated-device.ts'
import { imageOf } from '../corruption/image.ts'
import { deviceWith } from './bytes-device.ts'
import { codecTarget, specimenBytes } from './fuzz-target.ts'
import type { FuzzTarget } from './fuzz-target.ts'
import { storeFile } from './stored-file.ts'

const SHARD = shardId('s')
const FILE = fileName('000001-table')
const HEADER_BYTES = 96

export async function fsTargets(): Promise<readonly FuzzTarget[]> {
  const hash = await loadHash()
  return [await lockTarget(), headFileTarget(hash), await encryptedFileTarget(hash), await encryptedHeadTarget(hash)]
}

async function lockTarget(): Promise<FuzzTarget> {
  const device = new SimulatedDevice()
  await writeLockFile(device, 'lock', {
    bootId: 'c7a1f0de-boot',
    pid: 4711,
    startedAt: '123456',
    nonce: '0123456789abcdef',
  })
  return {
    name: 'lock file',
    specimens: [[...imageOf(device).values()]],
    join: (pieces) => pieces,
    parse: ([bytes = new Uint8Array(0)]) => readLockFile(deviceWith(bytes), 'lock'),
  }
}

function headFileTarget(hash: Hash): FuzzTarget {
  const content = specimenBytes(new SeededRandom(2), 200)
  return codecTarget({
    name: 'head file',
    specimens: [encodeHeadFile(SHARD, 7, content, hash)],
    decode: (bytes) => decodeHeadFile(SHARD, 7, bytes, 'a head', hash),
    encode: (decoded) => encodeHeadFile(SHARD, 7, decoded, hash),
    seal(bytes) {
      if (bytes.length < 24) return
      const seed = hash.hash64(Buffer.from('s.head-0000000000000007'), 0n)
      const stream = hash.stream64(seed)
      stream.update(bytes.subarray(0, 16))
      stream.update(bytes.subarray(24))
      new DataView(bytes.buffer, bytes.byteOffset).setBigUint64(16, stream.digest(), true)
    },
  })
}

/** Whoever has no key cannot seal chunks, only headers. */
async function encryptedFileTarget(hash: Hash): Promise<FuzzTarget> {
  const inner = new MemoryFileStore({ hash })
  const options = { keys: keyRing(), random: new SeededRandom(3), hash }
  const plain = specimenBytes(new SeededRandom(4), 20_000)
  const ref = await storeFile(new EncryptedFileStore(inner, options), FILE, plain)
  const [stored] = await inner.list()
  const reader = await inner.open({ ...ref, bytes: stored?.bytes ?? 0 })
  const bytes = await reader.read(0, stored?.bytes ?? 0)
  return {
    name: 'encrypted file',
    specimens: [[bytes]],
    join: ([piece = new Uint8Array(0)], sealed) => [sealed ? sealedHeader(piece, FILE, hash) : piece],
    async parse([damaged = new Uint8Array(0)]) {
      const place = new MemoryFileStore({ hash })
      await storeFile(place, FILE, damaged)
      const store = new EncryptedFileStore(place, options)
      await store.keysInUse()
      const found = await (await store.open(ref)).read(0, ref.bytes)
      if (Buffer.compare(found, plain) !== 0) throw new Error('bytes that were never written')
    },
    share: 60,
    heapBytes: 256 * 1024,
  }
}

async function encryptedHeadTarget(hash: Hash): Promise<FuzzTarget> {
  const inner = new MemoryHeadStore()
  const options = { keys: keyRing(), random: new SeededRandom(5), hash }
  const content = specimenBytes(new SeededRandom(6), 300)
  await new EncryptedHeadStore(inner, options).compareAndSet(SHARD, undefined, content)
  const stored = await inner.read(SHARD)
  return {
    name: 'encrypted head',
    specimens: [[stored?.content ?? new Uint8Array(0)]],
    join: ([piece = new Uint8Array(0)], sealed) => [sealed ? sealedHeader(piece, SHARD, hash) : piece],
    async parse([damaged = new Uint8Array(0)]) {
      const place = new MemoryHeadStore()
      await place.compareAndSet(SHARD, undefined, damaged)
      const found = await new EncryptedHeadStore(place, options).read(SHARD)
      if (found === undefined || Buffer.compare(found.content, content) !== 0)
        throw new Error('a head that was never written')
    },
    share: 100,
  }
}

function keyRing(): KeyRing {
  return new KeyRing([{ id: 'one', secret: new Uint8Array(32).fill(7) }])
}

function sealedHeader(bytes: Uint8Array, name: string, hash: Hash): Uint8Array {
  const copy = bytes.slice()
  if (copy.length < HEADER_BYTES) return copy
  const seed = hash.hash64(new TextEncoder().encode(name), 0n)
  new DataView(copy.buffer).setBigUint64(88, hash.hash64(copy.subarray(0, 88), seed), true)
  return copy
}
