/** Merging what two shards see of one table. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { loadHash } from '../../kernel/hash.ts'
import { fileName, seqno, shardId } from '../../kernel/ids.ts'
import type { ShardId } from '../../kernel/ids.ts'
import { cutAfter, cutBefore } from '../../kernel/key-cut.ts'
import { BYTEWISE } from '../../kernel/key-order.ts'
import { MemoryFileStore } from '../../fs/memory-file-store.ts'
import { MemoryHeadStore } from '../../fs/memory-head-store.ts'
import { EMPTY_MANIFEST } from '../../shard/edit.ts'
import { decodeHead, encodeHead } from '../../shard/head-content.ts'
import { loadManifest } from '../../shard/manifest.ts'
import type { Change, HandOver, VersionFile } from '../../shard/shard.ts'
import { plainHead } from '../../../test/plain-head.ts'
import { mergeShards, splitShard } from './arrangement.ts'
import type { Arranged } from './arrangement.ts'
import { encodeView, WHOLE } from './key-view.ts'

import { makeLevels } from './levels.ts'
import { encodeTableMeta } from './table-meta.ts'
import type { CutSpan } from './table-meta.ts'

const key = (text: string): Uint8Array => new Uint8Array(Buffer.from(text))
const CUT = cutBefore(key('m'))

function table(name: string, group: number, first: string, last: string, view?: CutSpan): VersionFile {
  const [keyFirst, keyLast] = [key(first), key(last)]
  const counts = { entryCount: 9, deleteCount: 0, rangeCount: 0 }
  const bounds = { lower: cutBefore(keyFirst), upper: cutAfter(keyLast), covers: [], samples: [] }
  return {
    ref: { name: fileName(name), bytes: 100, checksum: '00ff00ff00ff00ff' },
    format: { name: 'row', version: 1 },
    group,
    seqnoFirst: seqno(1),
    seqnoLast: seqno(9),
    meta: encodeTableMeta({ keyFirst, keyLast, ...counts, ...bounds }),
    view: view === undefined ? new Uint8Array(0) : encodeView(view),
  }
}

/** A shard of which a rewrite is done at once: the tables are replaced by `rewritten`. */
class FakeShard {
  readonly id: ShardId
  readonly rewrites: string[] = []
  /** How often it was let go on. */
  resumed = 0
  files: readonly VersionFile[]
  readonly rewritten: readonly VersionFile[]

  constructor(id: string, files: readonly VersionFile[], rewritten: readonly VersionFile[] = []) {
    this.id = shardId(id)
    this.files = files
    this.rewritten = rewritten
  }

  get view(): unknown {
    return { version: { shape: makeLevels(this.files, undefined, BYTEWISE, () => undefined as never) } }
  }

  apply(choose: (underway: { running: ReadonlySet<string> }) => Change | undefined): Promise<void> {
    const change = choose({ running: new Set() })
    if (change?.type === 'rewrite') {
      this.rewrites.push(...change.inputs)
      const others = this.files.filter(({ ref }) => !change.inputs.includes(ref.name))
      this.files = [...others, ...this.rewritten]
    }
    return Promise.resolve()
  }

  handOver(): Promise<HandOver> {
    const done = (): Promise<void> => Promise.resolve()
    const manifest = { ...EMPTY_MANIFEST, files: new Map(this.files.map((file) => [file.ref.name, file])) }
    return Promise.resolve({
      shard: this.id,
      head: plainHead(),
      manifest,
      pin: done,
      seal: done,
      resume: () => Promise.resolve(void this.resumed++),
      end: () => undefined,
    })
  }
}

async function merged(left: FakeShard, right: FakeShard): Promise<readonly (readonly [string, number, boolean])[]> {
  const hash = await loadHash()
  const place = { heads: new MemoryHeadStore(), files: new MemoryFileStore({ hash }) }
  for (const { ref } of [...right.files, ...right.rewritten]) {
    const writer = await place.files.create(ref.name)
    await writer.write(new Uint8Array(ref.bytes))
    await writer.finish()
  }
  await place.heads.compareAndSet(right.id, undefined, encodeHead(plainHead()))
  const arranged = { shard: left, order: BYTEWISE, place } as unknown as Arranged
  await mergeShards(arranged, right as unknown as Arranged['shard'], key('m'), shardId('merged'))
  const head = await place.heads.read(shardId('merged'))
  const content = decodeHead((head as NonNullable<typeof head>).content, 'head of merged')
  const { files } = await loadManifest(content, place.files, hash, 'head of merged')
  return [...files.values()].map(({ ref, group, view }) => [ref.name, group, view.length === 0] as const)
}

test('a table that both see in the same level is one table again, whole', async () => {
  const left = new FakeShard('left', [table('main.t', 1, 'a', 'z', { ...WHOLE, upper: CUT })])
  const right = new FakeShard('right', [table('main.t', 1, 'a', 'z', { ...WHOLE, lower: CUT })])
  assert.deepEqual(await merged(left, right), [['main.t', 1, true]])
  assert.deepEqual(right.rewrites, [])
})

test('a table that one of them has moved to a deeper level is rewritten there: newer ones may be above it on one side only', async () => {
  const left = new FakeShard('left', [table('main.t', 0, 'a', 'z', { ...WHOLE, upper: CUT })])
  const newer = table('right.newer', 1, 'p', 'z')
  const right = new FakeShard(
    'right',
    [table('main.t', 2, 'a', 'z', { ...WHOLE, lower: CUT }), newer],
    [table('right.t', 2, 'm', 'z')],
  )
  assert.deepEqual(await merged(left, right), [
    ['main.t', 0, false],
    ['right.newer', 1, true],
    ['right.t', 2, true],
  ])
  assert.deepEqual(right.rewrites, ['main.t'])
})

test('a table of which the two do not see all between them is rewritten: what lies between stays hidden', async () => {
  for (const [upper, lower] of [
    [CUT, cutBefore(key('p'))],
    [cutBefore(key('k')), CUT],
  ] as const) {
    const left = new FakeShard('left', [table('main.t', 1, 'a', 'z', { ...WHOLE, upper })])
    const right = new FakeShard(
      'right',
      [table('main.t', 1, 'a', 'z', { ...WHOLE, lower })],
      [table('right.t', 1, 'p', 'z')],
    )
    assert.deepEqual(await merged(left, right), [
      ['main.t', 1, false],
      ['right.t', 1, true],
    ])
    assert.deepEqual(right.rewrites, ['main.t'])
  }
})

// An order of one's own may take only keys of one form. Nobody let the shard go on: its writes waited for ever.
test('a shard that cannot be split at a key, because the order cannot compare it, goes on', async () => {
  const shard = new FakeShard('main', [table('main.t', 1, 'a', 'z')])
  const place = { heads: new MemoryHeadStore(), files: new MemoryFileStore({ hash: await loadHash() }) }
  const mistake = new RangeError('a key has eight bytes')
  const order = {
    ...BYTEWISE,
    compare: (): never => {
      throw mistake
    },
  }
  const arranged = { shard, order, place } as unknown as Arranged
  await assert.rejects(splitShard(arranged, key('m'), shardId('left'), shardId('right')), mistake)
  assert.equal(shard.resumed, 1)
})
