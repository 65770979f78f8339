import assert from 'node:assert/strict'
import { createDecipheriv, createHash, hkdfSync } from 'node:crypto'
import { test } from 'node:test'
import { inspect } from 'node:util'
import { equalBytes, toHex } from '../kernel/bytes.ts'
import type { FileRef } from '../kernel/file-ref.ts'
import { loadHash } from '../kernel/hash.ts'
import { fileName } from '../kernel/ids.ts'
import type { FileName } from '../kernel/ids.ts'
import { failsWith, failureOf } from '../testing/expected-failure.ts'
import { putFile, randomBytes } from '../testing/file-model.ts'
import { SeededRandom } from '../testing/seeded-random.ts'
import { EncryptedFileStore } from './encrypted-file-store.ts'
import { CHUNK_BYTES, SEALED_BYTES, chunkStart, plainLength, storedLength } from './encrypted-layout.ts'
import type { FileWriter } from './fs.ts'
import { KeyRing } from './key-ring.ts'
import type { EncryptionKey } from './key-ring.ts'
import { MemoryFileStore } from './memory-file-store.ts'
import { TracedFileStore } from './traced-stores.ts'
import type { TraceEvent } from './traced-stores.ts'
import { SimulatedClock } from '../testing/simulated-clock.ts'

const hash = await loadHash()
const SECRET_TEXT = 'this secret must not get about !!'.slice(0, 32)
const FIRST: EncryptionKey = { id: 'first', secret: Buffer.from(SECRET_TEXT) }
const SECOND: EncryptionKey = { id: 'second', secret: randomBytes(2, 32) }
const A = fileName('a')
const B = fileName('b')
const SIZES = [0, 1, CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 1, 3 * CHUNK_BYTES, 3 * CHUNK_BYTES + 5]

function encrypted(inner: MemoryFileStore, keys: readonly EncryptionKey[] = [FIRST], seed = 1): EncryptedFileStore {
  return new EncryptedFileStore(inner, { keys: new KeyRing(keys), random: new SeededRandom(seed), hash })
}

async function stored(inner: MemoryFileStore, name: FileName): Promise<Uint8Array> {
  const info = (await inner.list(name)).find((each) => each.name === name)
  assert.ok(info !== undefined)
  return (await inner.open({ ...info, checksum: '0' })).read(0, info.bytes)
}

/** A store below that holds these bytes. */
async function holding(name: FileName, bytes: Uint8Array): Promise<MemoryFileStore> {
  const inner = new MemoryFileStore({ hash })
  await putFile(inner, name, bytes)
  return inner
}

async function readAll(store: EncryptedFileStore, ref: FileRef): Promise<Uint8Array> {
  return (await store.open(ref)).read(0, ref.bytes)
}

test('stored and plain length follow from each other, and no two plain lengths have the same', () => {
  let before = -1
  for (let plain = 0; plain < 3 * CHUNK_BYTES + 50; plain++) {
    const length = storedLength(plain)
    assert.equal(plainLength(length), plain)
    assert.ok(length > before)
    before = length
  }
  for (const impossible of [0, 1, 95, 96, 111, storedLength(CHUNK_BYTES) + 7])
    assert.ok(Number.isSafeInteger(plainLength(impossible)) && plainLength(impossible) >= 0)
})

test('nothing of the content is in what is stored, and equal files are stored differently', async () => {
  const content = Buffer.from('attack at dawn. '.repeat(5000))
  const inner = new MemoryFileStore({ hash })
  const store = encrypted(inner)
  await putFile(store, A, content)
  await putFile(store, B, content)
  const [one, two] = [await stored(inner, A), await stored(inner, B)]
  assert.ok(!Buffer.from(one).includes('attack'))
  assert.ok(!Buffer.from(one).includes(SECRET_TEXT))
  for (let start = 96; start < one.length; start += 16)
    assert.ok(!equalBytes(one.subarray(start, start + 16), two.subarray(start, start + 16)), `bytes from ${start}`)
})

test('a name that is begun again after an abort has another key', async () => {
  const seen: Uint8Array[] = []
  // What an aborted writer left on the disk may have been seen.
  class PeekedStore extends MemoryFileStore {
    override async create(name: FileName): Promise<FileWriter> {
      const writer = await super.create(name)
      const write = writer.write.bind(writer)
      writer.write = (bytes) => {
        seen.push(bytes.slice())
        return write(bytes)
      }
      return writer
    }
  }
  const store = encrypted(new PeekedStore({ hash }))
  for (let round = 0; round < 2; round++) {
    const writer = await store.create(A)
    await writer.write(new Uint8Array(2 * CHUNK_BYTES))
    await writer.abort()
  }
  const [one, two] = seen
  assert.ok(one !== undefined && two !== undefined && one.length > CHUNK_BYTES)
  // Equal content under one key and nonce would give equal bytes.
  assert.ok(!equalBytes(one.subarray(96, 160), two.subarray(96, 160)))
})

test('a ranged read reads the chunks it touches, no more', async () => {
  const events: TraceEvent[] = []
  const clock = new SimulatedClock()
  const traced = new TracedFileStore(new MemoryFileStore({ hash }), { clock, sink: (event) => events.push(event) })
  const store = new EncryptedFileStore(traced, { keys: new KeyRing([FIRST]), random: new SeededRandom(1), hash })
  const content = randomBytes(1, 10 * CHUNK_BYTES + 3)
  const reader = await store.open(await putFile(store, A, content))
  for (const [offset, length, chunks] of [
    [0, 1, 1],
    [CHUNK_BYTES - 1, 2, 2],
    [3 * CHUNK_BYTES, CHUNK_BYTES, 1],
    [2 * CHUNK_BYTES + 5, 3 * CHUNK_BYTES, 4],
    [7, 0, 0],
  ] as const) {
    events.length = 0
    assert.ok(equalBytes(await reader.read(offset, length), content.subarray(offset, offset + length)))
    assert.equal(events[0]?.bytes, chunks * SEALED_BYTES, `${length} bytes from ${offset}`)
    assert.equal(events.length, 1)
  }
})

test('any changed byte is noticed when it is read, wherever it is', async () => {
  const content = randomBytes(1, 2 * CHUNK_BYTES + 100)
  const inner = new MemoryFileStore({ hash })
  const ref = await putFile(encrypted(inner), A, content)
  const bytes = await stored(inner, A)
  for (let at = 0; at < bytes.length; at += at < 96 ? 1 : 997) {
    const changed = bytes.slice()
    changed[at] = (changed[at] as number) ^ (1 << (at % 8))
    const error = await failsWith(
      async () => readAll(encrypted(await holding(A, changed)), ref),
      'FILE_CORRUPT',
      `byte ${at} changed`,
    )
    assert.equal(error.details['file'], 'a')
    assert.equal(error.details['part'], at < 96 ? 'header' : 'chunk')
    assert.equal(error.details['offset'], at < 96 ? 0 : chunkStart(Math.floor((at - 96) / SEALED_BYTES)))
  }
})

test('files and chunks that were exchanged or cut off are noticed', async () => {
  const inner = new MemoryFileStore({ hash })
  const store = encrypted(inner)
  const ref = await putFile(store, A, randomBytes(1, 3 * CHUNK_BYTES))
  const other = await putFile(store, B, randomBytes(2, 3 * CHUNK_BYTES))
  const [a, b] = [await stored(inner, A), await stored(inner, B)]
  const part = (bytes: Uint8Array, index: number): Uint8Array => bytes.slice(chunkStart(index), chunkStart(index + 1))
  const made = (header: Uint8Array, ...parts: readonly Uint8Array[]): Uint8Array =>
    Buffer.concat([header.subarray(0, 96), ...parts])
  const cases: Record<string, readonly [Uint8Array, FileRef]> = {
    'another file under this name': [b, ref],
    'another file under its own header': [made(a, part(b, 0), part(b, 1), part(b, 2)), ref],
    'two chunks exchanged': [made(a, part(a, 1), part(a, 0), part(a, 2)), ref],
    'a chunk twice': [made(a, part(a, 0), part(a, 0), part(a, 2)), ref],
    'one chunk of another file': [made(a, part(a, 0), part(b, 1), part(a, 2)), ref],
    // The reference, too: someone who can change the head, but has no key.
    'cut at a chunk, reference and all': [made(a, part(a, 0), part(a, 1)), { ...ref, bytes: 2 * CHUNK_BYTES }],
    'prolonged, reference and all': [
      made(a, part(a, 0), part(a, 1), part(a, 2), part(a, 2)),
      { ...ref, bytes: 4 * CHUNK_BYTES },
    ],
    'the last chunk taken for another': [made(a, part(a, 0), part(a, 2), part(a, 1)), ref],
  }
  for (const [name, [bytes, reference]] of Object.entries(cases))
    await failsWith(async () => readAll(encrypted(await holding(A, bytes)), reference), 'FILE_CORRUPT', name)
  const cut = a.subarray(0, a.length - 1)
  const error = await failsWith(async () => readAll(encrypted(await holding(A, cut)), ref), 'FILE_MISSING', 'cut')
  assert.deepEqual([error.details['found'], error.details['expected']], [3 * CHUNK_BYTES - 1, ref.bytes])
  // A whole file under another name, its header made to fit: the name is in the key.
  const renamed = b.slice()
  const seed = hash.hash64(new TextEncoder().encode('a'), 0n)
  new DataView(renamed.buffer).setBigUint64(88, hash.hash64(renamed.subarray(0, 88), seed), true)
  await failsWith(
    async () => readAll(encrypted(await holding(A, renamed)), { ...other, name: A }),
    'FILE_CORRUPT',
    'renamed',
  )
})

test('a key that is missing or another is WRONG_KEY at once, and no error has a secret in it', async () => {
  const inner = new MemoryFileStore({ hash })
  const ref = await putFile(encrypted(inner), A, randomBytes(1, 10))
  const rings: readonly (readonly EncryptionKey[])[] = [[SECOND], [{ ...SECOND, id: 'first' }]]
  for (const keys of rings) {
    const store = encrypted(inner, keys)
    for (const call of [() => store.open(ref), () => store.openSync(ref)]) {
      const error = await failsWith(call, 'WRONG_KEY', 'the wrong key')
      assert.deepEqual(error.details, { file: 'a', keyId: 'first' })
      assert.equal(error.kind, 'invalid')
    }
  }
  const hexSecret = toHex(FIRST.secret)
  const shown: unknown[] = [new KeyRing([FIRST]), encrypted(inner)]
  const damaged = (await stored(inner, A)).slice()
  damaged[100] = (damaged[100] as number) ^ 1
  shown.push(await readAll(encrypted(await holding(A, damaged)), ref).catch((error: unknown) => error))
  for (const keys of [
    [FIRST, FIRST],
    [{ id: 'a b', secret: FIRST.secret }],
    [{ id: 'x', secret: FIRST.secret.subarray(1) }],
    [],
  ]) {
    const error = await failureOf(() => new KeyRing(keys), 'no usable keys')
    assert.ok(error instanceof TypeError || error instanceof RangeError, String(error))
    shown.push(error)
  }
  for (const each of shown) {
    const text = inspect(each, { depth: 10, showHidden: true }) + JSON.stringify(each) + String(each)
    for (const secret of [SECRET_TEXT, SECRET_TEXT.slice(1), hexSecret, [...FIRST.secret].join(', ')])
      assert.ok(!text.includes(secret), text)
  }
})

test('old files are read with old keys, new ones are written with the new, and it can be told which are which', async () => {
  const inner = new MemoryFileStore({ hash })
  const content = randomBytes(1, 100)
  const old = await putFile(encrypted(inner), A, content)
  const rotating = encrypted(inner, [SECOND, FIRST], 2)
  const young = await putFile(rotating, B, content)
  for (const ref of [old, young]) assert.ok(equalBytes(await readAll(rotating, ref), content))
  assert.deepEqual(
    await rotating.keysInUse(),
    new Map([
      ['first', [A]],
      ['second', [B]],
    ]),
  )
  const rotated = encrypted(inner, [SECOND])
  assert.ok(equalBytes(await readAll(rotated, young), content))
  await failsWith(() => rotated.open(old), 'WRONG_KEY', 'an old file without its key')
  assert.deepEqual([...(await rotated.keysInUse('a')).keys()], ['first'], 'looking needs no key')
})

test('a file of a newer format is INCOMPATIBLE, one that is not encrypted is told as such', async () => {
  const inner = new MemoryFileStore({ hash })
  const ref = await putFile(encrypted(inner), A, randomBytes(1, 10))
  const newer = await stored(inner, A)
  newer[8] = 2
  const seed = hash.hash64(new TextEncoder().encode('a'), 0n)
  new DataView(newer.buffer).setBigUint64(88, hash.hash64(newer.subarray(0, 88), seed), true)
  await failsWith(async () => readAll(encrypted(await holding(A, newer)), ref), 'INCOMPATIBLE', 'a newer format')
  const plain = await holding(A, new Uint8Array(storedLength(10)))
  await failsWith(() => readAll(encrypted(plain), ref), 'FILE_CORRUPT', 'a plain file')
})

test('the format is what it was', async () => {
  const digest = createHash('sha256')
  for (const [index, size] of SIZES.entries()) {
    const inner = new MemoryFileStore({ hash })
    const name = fileName(`golden-${index}`)
    await putFile(encrypted(inner), name, randomBytes(index, size))
    const bytes = await stored(inner, name)
    assert.equal(bytes.length, storedLength(size))
    digest.update(bytes)
  }
  assert.equal(digest.digest('hex'), '11883419755d157780aac367429ddd6525f8297184448225752bda8a5cd086b6')
})

test('what is stored can be read by what the specification says alone', async () => {
  const inner = new MemoryFileStore({ hash })
  const content = randomBytes(1, 2 * CHUNK_BYTES + 77)
  await putFile(encrypted(inner), A, content)
  const bytes = Buffer.from(await stored(inner, A))
  assert.equal(bytes.toString('latin1', 0, 8), 'varveenc')
  assert.deepEqual([bytes.readUInt16LE(8), bytes[10], bytes[11]], [1, 1, 5])
  assert.equal(bytes.toString('latin1', 12, 44), 'first'.padEnd(32, '\0'))
  const salt = bytes.subarray(48, 80)
  const derived = (context: string, length: number): Buffer =>
    Buffer.from(hkdfSync('sha256', FIRST.secret, salt, context, length))
  assert.ok(equalBytes(bytes.subarray(80, 88), derived('varve key check 1', 8)))
  const key = derived('varve file 1 a', 32)
  const plain = [0, 1, 2].map((index) => {
    const chunk = bytes.subarray(96 + index * 16_400, 96 + (index + 1) * 16_400)
    const nonce = Buffer.from([0, 0, 0, 0, 0, 0, index === 2 ? 1 : 0, 0, index, 0, 0, 0])
    const decipher = createDecipheriv('aes-256-gcm', key, nonce).setAuthTag(chunk.subarray(-16))
    return Buffer.concat([decipher.update(chunk.subarray(0, -16)), decipher.final()])
  })
  assert.ok(equalBytes(Buffer.concat(plain), content))
})

test('a file that is written piece by piece is read as it was written, and no two chunks share a keystream', async () => {
  for (const pieceBytes of [CHUNK_BYTES, 10_000, 100_000]) {
    const inner = new MemoryFileStore({ hash })
    const store = encrypted(inner)
    // Equal chunks: under one nonce they would be stored as equal bytes.
    const content = new Uint8Array(10 * CHUNK_BYTES + 5).fill(7)
    const writer = await store.create(A)
    for (let at = 0; at < content.length; at += pieceBytes) await writer.write(content.subarray(at, at + pieceBytes))
    const ref = await writer.finish()
    assert.ok(equalBytes(await readAll(store, ref), content))
    const sealed = await stored(inner, A)
    const chunks = new Set<string>()
    for (let index = 0; index < 10; index++)
      chunks.add(toHex(sealed.subarray(chunkStart(index), chunkStart(index) + 64)))
    assert.equal(chunks.size, 10)
  }
})
