/** What the shard and the key-value engine read: heads, edits, manifest files, groups, descriptions of tables. */

import { Encoder } from '../../src/kernel/codec.ts'
import type { Decoder } from '../../src/kernel/codec.ts'
import { formatHash64, loadHash } from '../../src/kernel/hash.ts'
import type { Hash } from '../../src/kernel/hash.ts'
import { POSITION_ZERO, epoch, fileName, journalPosition, seqno } from '../../src/kernel/ids.ts'
import { cutAfter, cutBefore } from '../../src/kernel/key-cut.ts'
import { MemoryFileStore } from '../../src/fs/memory-file-store.ts'
import { decodeOperation, encodeOperation } from '../../src/engines/kv/operation-codec.ts'
import { decodeColumnMeta, encodeColumnMeta } from '../../src/engines/kv/key-columns.ts'
import { decodeTableMeta, encodeTableMeta } from '../../src/engines/kv/table-meta.ts'
import type { OrderedOperation } from '../../src/memtable/entry-operation.ts'
import { RANGE_DELETE } from '../../src/memtable/entry-operation.ts'
import { ENTRY_DELETE, ENTRY_PUT } from '../../src/kernel/entry.ts'
import { decodeEdit, encodeEdit } from '../../src/shard/edit.ts'
import type { Edit } from '../../src/shard/edit.ts'
import { beginGroup, failGroup, visitGroup } from '../../src/shard/group-codec.ts'
import { decodeHead, encodeHead, failHead } from '../../src/shard/head-content.ts'
import { readManifestFile } from '../../src/shard/manifest.ts'
import type { VersionFile } from '../../src/shard/shard.ts'
import { SeededRandom } from '../../src/testing/seeded-random.ts'
import { codecTarget, specimenBytes } from './fuzz-target.ts'
import type { FuzzTarget } from './fuzz-target.ts'
import { storeFile } from './stored-file.ts'

const random = (): SeededRandom => new SeededRandom(8)
const key = (text: string): Uint8Array => new Uint8Array(Buffer.from(text))

export async function shardTargets(): Promise<readonly FuzzTarget[]> {
  return [
    codecTarget({
      name: 'head',
      specimens: [headSpecimen(0), headSpecimen(3)],
      decode: (bytes) => decodeHead(bytes, 'a head'),
      encode: encodeHead,
    }),
    codecTarget({
      name: 'edit',
      specimens: [encodeEdit(editOf(1)), encodeEdit(editOf(5))],
      decode: (bytes) => decodeEdit(bytes, (reason, at) => failHead('an edit', reason, at)),
      encode: encodeEdit,
    }),
    manifestTarget(await loadHash()),
    groupTarget(),
    codecTarget({
      name: 'description of a table',
      specimens: [tableMeta(0), tableMeta(2)],
      decode: (bytes) => decodeTableMeta(bytes, 'a table'),
      encode: encodeTableMeta,
    }),
    codecTarget({
      name: 'description of a key column',
      specimens: [encodeColumnMeta(fileName('1-2-table'), 300)],
      decode: (bytes) => decodeColumnMeta(bytes, 'a key column'),
      encode: ({ table, entryCount }) => encodeColumnMeta(table, entryCount),
    }),
  ]
}

function fileOf(number: number): VersionFile {
  const name = fileName(`1-${number}-table`)
  return {
    ref: { name, bytes: 4096 * number, checksum: formatHash64(0x1234_5678_9abc_def0n * BigInt(number)) },
    format: { name: 'row', version: 1 },
    group: number % 3,
    seqnoFirst: seqno(number * 10),
    seqnoLast: seqno(number * 10 + 9),
    meta: tableMeta(number % 3),
    view: specimenBytes(random(), number % 2),
  }
}

function editOf(count: number): Edit {
  const numbers = Array.from({ length: count }, (_, index) => index + 1)
  return {
    removed: numbers.map((number) => fileName(`0-${number}-table`)),
    added: numbers.map(fileOf),
    replayFrom: journalPosition(1_000_000),
    seqnoLast: seqno(5000),
  }
}

function headSpecimen(count: number): Uint8Array {
  return encodeHead({
    epoch: epoch(3),
    owner: '0123456789abcdef',
    commit: 17,
    journal: { name: 'local', version: 1 },
    engine: { name: 'kv', version: 1 },
    identity: { order: 'bytewise' },
    journalState: count === 0 ? undefined : specimenBytes(random(), 40),
    base: count === 0 ? undefined : fileOf(9).ref,
    deltas: Array.from({ length: count }, (_, index) => fileOf(index + 10).ref),
    edits: Array.from({ length: count + 1 }, () => encodeEdit(editOf(count))),
    pins: Array.from({ length: count }, (_, index) => ({ name: `pin ${index}`, files: [fileName('1-1-table')] })),
  })
}

function tableMeta(rangeCount: number): Uint8Array {
  const [lower, upper] = [cutBefore(key('apple')), cutAfter(key('pear'))]
  return encodeTableMeta({
    keyFirst: key('banana'),
    keyLast: key('orange'),
    entryCount: 400,
    deleteCount: 3,
    rangeCount,
    lower,
    upper,
    covers: rangeCount === 0 ? [] : [{ lower, upper }],
    samples: rangeCount === 2 ? [key('cherry'), key('fig'), key('lemon')] : [],
  })
}

function manifestTarget(hash: Hash): FuzzTarget {
  const encoder = new Encoder().u32(0x4d56_5256).u8(1)
  for (const count of [1, 4]) encoder.bytes(encodeEdit(editOf(count)))
  return {
    name: 'manifest file',
    specimens: [[encoder.finish()]],
    join: (pieces) => pieces,
    async parse([bytes = new Uint8Array(0)]) {
      const files = new MemoryFileStore({ hash })
      await readManifestFile(await storeFile(files, fileName('m'), bytes), files, hash)
    },
    share: 300,
    // The store's own copies.
    heapBytes: 128 * 1024,
  }
}

function groupTarget(): FuzzTarget {
  const operations: readonly OrderedOperation[] = [
    { kind: ENTRY_PUT, key: key('banana'), value: specimenBytes(random(), 60) },
    { kind: ENTRY_DELETE, key: key('apple'), value: key('') },
    { kind: RANGE_DELETE, lower: cutBefore(key('a')), upper: cutAfter(key('c')) },
  ]
  const encode = ({ first, found }: { readonly first: number; readonly found: readonly OrderedOperation[] }) => {
    const encoder = new Encoder()
    beginGroup(encoder, seqno(first))
    if (found.length > 0) encoder.varint(found.length)
    for (const operation of found) encodeOperation(operation, encoder)
    return encoder.finish()
  }
  return codecTarget({
    name: 'group of operations',
    specimens: [encode({ first: 7, found: operations }), encode({ first: 1, found: operations.slice(1, 2) })],
    decode(bytes) {
      const found: OrderedOperation[] = []
      const last = visitGroup(
        bytes,
        POSITION_ZERO,
        (from: Decoder) => decodeOperation(from),
        (operation) => void found.push(operation),
      )
      if (!Number.isSafeInteger(last)) failGroup(0, 'a seqno beyond 2^53')
      return { first: last - found.length + 1, found }
    },
    encode,
  })
}
