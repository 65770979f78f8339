/** What the local journal reads: segments, the state in the head, witness, fence, and all of them at once. */

import { Encoder } from '../../src/kernel/codec.ts'
import { VarveError } from '../../src/kernel/errors.ts'
import { loadHash, hashKey } from '../../src/kernel/hash.ts'
import type { Hash } from '../../src/kernel/hash.ts'
import { POSITION_ZERO, epoch, shardId } from '../../src/kernel/ids.ts'
import { inspectSegment } from '../../src/journal/segment-inspection.ts'
import { decodeJournalState, encodeJournalState } from '../../src/journal/journal-state.ts'
import { LocalJournalSystem } from '../../src/journal/local-journal-system.ts'
import { SEGMENT_HEADER_BYTES, decodeSegmentHeader, encodeSegmentHeader } from '../../src/journal/segment-header.ts'
import { segmentIdentity, shardIdentity } from '../../src/journal/segment-id.ts'
import { scanSegment } from '../../src/journal/segment-scan.ts'
import { Segment } from '../../src/journal/segment.ts'
import { readWitness } from '../../src/journal/sync-witness.ts'
import { MemoryStateKeeper } from '../../src/testing/memory-state-keeper.ts'
import { SimulatedDevice } from '../../src/testing/simulated-device.ts'
import { SeededRandom } from '../../src/testing/seeded-random.ts'
import { deviceOf, imageOf } from '../corruption/image.ts'
import type { Image } from '../corruption/image.ts'
import { BytesFile, deviceWith } from './bytes-device.ts'
import { codecTarget, specimenBytes } from './fuzz-target.ts'
import type { FuzzTarget } from './fuzz-target.ts'
import { resealed, sealState, sealWord, segmentIdentityOf } from './journal-seals.ts'

const SHARD = shardId('s')
const ID = { epoch: 2, attempt: 1, index: 1 } as const
const IDENTITY = segmentIdentity(SHARD, ID)
const SHARD_IDENTITY = shardIdentity(SHARD)
const SETTINGS = { segmentBytes: 4096, preallocateBytes: 256, readBytes: 512 }

/** Files of a journal, and its state in the head. */
interface LeftJournal {
  readonly image: Image
  readonly state: Uint8Array
}

function systemOn(device: SimulatedDevice, hash: Hash): LocalJournalSystem {
  return new LocalJournalSystem({ device, directory: 'j', hash, random: { u32: () => 0 }, settings: SETTINGS })
}

/** @param ends how the last owner does */
async function leftJournal(hash: Hash, ends: 'closed' | 'killed'): Promise<LeftJournal> {
  const device = new SimulatedDevice()
  const keeper = new MemoryStateKeeper()
  const random = new SeededRandom(1)
  for (const owner of [1, 2]) {
    const journal = await systemOn(device, hash).open(SHARD, epoch(owner), keeper)
    await journal.replay(POSITION_ZERO, () => undefined)
    for (let batch = 0; batch < 12; batch++) {
      const pair = [40, batch === 7 ? 1500 : 10].map((length) =>
        journal.append(specimenBytes(random, length), batch % 3 === 0 ? 'synced' : 'written'),
      )
      await Promise.all(pair.map((append) => append.synced ?? append.written))
    }
    if (owner === 1 || ends === 'closed') await journal.close()
  }
  return { image: imageOf(device), state: keeper.state ?? new Uint8Array(0) }
}

export async function journalTargets(): Promise<readonly FuzzTarget[]> {
  const hash = await loadHash()
  const killed = await leftJournal(hash, 'killed')
  return [
    framesTarget(hash, killed),
    codecTarget({
      name: 'segment header',
      specimens: [encodeSegmentHeader(ID, { base: 12_345, syncedUpTo: 12_000 }, IDENTITY)],
      decode: (bytes) => decodeSegmentHeader(bytes, IDENTITY, 'a segment'),
      encode: (header) => encodeSegmentHeader(ID, header, IDENTITY),
      seal: (bytes) => sealWord(bytes, 0, SEGMENT_HEADER_BYTES, IDENTITY),
    }),
    codecTarget({
      name: 'journal state',
      specimens: [killed.state],
      decode: (bytes) => decodeJournalState(bytes, SHARD_IDENTITY),
      encode: (state) => encodeJournalState(state, SHARD_IDENTITY),
      seal: (bytes) => sealState(bytes, SHARD_IDENTITY),
    }),
    witnessTarget(killed),
    wholeJournalTarget('journal of a killed process', hash, killed),
    wholeJournalTarget('journal that was closed', hash, await leftJournal(hash, 'closed')),
  ]
}

function framesTarget(hash: Hash, { image }: LeftJournal): FuzzTarget {
  const segments = [...image].filter(([path]) => path.includes('/0000000000000002-'))
  return {
    name: 'journal frames',
    specimens: segments.map(([path, bytes]) => [resealed(bytes, segmentIdentityOf(SHARD, path), IDENTITY, hash)]),
    join: ([bytes = new Uint8Array(0)], sealed) => [sealed ? resealed(bytes, IDENTITY, IDENTITY, hash) : bytes],
    async parse([bytes = new Uint8Array(0)]) {
      const file = new BytesFile('a segment', bytes)
      const segment = new Segment('j', SHARD, ID, 0)
      await scanSegment(segment, file, hash, SETTINGS.readBytes)
      for await (const item of inspectSegment(file, IDENTITY, hash)) {
        const end = item.type === 'header' ? 0 : item.type === 'frame' ? item.frame.offset : item.endOffset
        if (end > bytes.length) throw new Error('something was found beyond the end')
      }
    },
    share: 300,
    // The tool's reader takes a buffer of up to a mebibyte, however short the file.
    heapBytes: 1024 * 1024,
  }
}

function witnessTarget({ image }: LeftJournal): FuzzTarget {
  const witness = [...image].find(([path]) => path.includes('synced.2-1'))?.[1] ?? new Uint8Array(0)
  const opening = { epoch: 2, attempt: 1 }
  const seedBytes = new Encoder().varint(opening.epoch).varint(opening.attempt).finish()
  const seed = hashKey(seedBytes, 0, seedBytes.length, SHARD_IDENTITY)
  return {
    name: 'witness',
    specimens: [[witness]],
    join([bytes = new Uint8Array(0)], sealed) {
      const copy = bytes.slice()
      if (sealed) sealWord(copy, 0, copy.length, seed)
      return [copy]
    },
    async parse([bytes = new Uint8Array(0)]) {
      const position = await readWitness(deviceWith(bytes), 'j/s', opening, SHARD_IDENTITY)
      if (!Number.isSafeInteger(position)) throw new Error(`no position: ${position}`)
    },
  }
}

/** Every file and the state are pieces. Whatever they say, opening answers, and so does whoever reads and goes on writing. */
function wholeJournalTarget(name: string, hash: Hash, { image, state }: LeftJournal): FuzzTarget {
  const paths = [...image.keys()]
  return {
    name,
    specimens: [[...image.values(), state]],
    join: (pieces, sealed) => (sealed ? pieces.map((bytes, index) => sealedFile(bytes, paths[index], hash)) : pieces),
    async parse(stored) {
      const device = deviceOf(new Map(paths.map((path, index) => [path, stored[index] as Uint8Array])))
      const keeper = new MemoryStateKeeper()
      keeper.state = stored.at(-1)
      for (const owner of [3, 4]) await openAndWrite(device, keeper, owner, hash)
    },
    share: 30,
    heapBytes: 16 * 1024 * 1024,
  }
}

async function openAndWrite(device: SimulatedDevice, keeper: MemoryStateKeeper, owner: number, hash: Hash) {
  const reader = await systemOn(device, hash).openReadOnly(SHARD, keeper.state)
  try {
    await reader.replay(reader.start, () => undefined)
  } catch (error) {
    if (!(error instanceof VarveError)) throw error
  } finally {
    await reader.close()
  }
  const journal = await systemOn(device, hash).open(SHARD, epoch(owner), keeper)
  try {
    await journal.replay(journal.start, () => undefined)
    const { end, synced, written } = journal.append(Buffer.from('after the damage'), 'synced')
    if (!Number.isSafeInteger(end)) throw new Error(`no position: ${end}`)
    await (synced ?? written)
  } finally {
    await journal.close()
  }
}

function sealedFile(bytes: Uint8Array, path: string | undefined, hash: Hash): Uint8Array {
  if (path?.endsWith('.log') === true)
    return resealed(bytes, segmentIdentityOf(SHARD, path), segmentIdentityOf(SHARD, path), hash)
  const copy = bytes.slice()
  if (path === undefined) sealState(copy, SHARD_IDENTITY)
  else if (path.includes('fence')) sealFence(copy)
  else if (path.includes('synced')) {
    const [, owner = 0, attempt = 0] = /\.([0-9]+)-([0-9]+)$/.exec(path)?.map(Number) ?? []
    const seed = new Encoder().varint(owner).varint(attempt).finish()
    sealWord(copy, 0, copy.length, hashKey(seed, 0, seed.length, SHARD_IDENTITY))
  }
  return copy
}

/** The fence in the first 32 bytes, and the closing behind it, which belongs to it. */
function sealFence(bytes: Uint8Array): void {
  const fenceBytes = 32
  sealWord(bytes, 0, fenceBytes, SHARD_IDENTITY)
  if (bytes.length <= fenceBytes) return
  const seed = hashKey(bytes, 0, fenceBytes, SHARD_IDENTITY)
  const closing = bytes.subarray(fenceBytes)
  sealWord(closing, 0, closing.length, seed)
}
