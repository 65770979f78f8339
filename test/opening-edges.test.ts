/** Opening a shard whose head, files or journal go, change or fail while they are looked at. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { KvComponents } from '../src/engines/kv/open-kv.ts'
import type { HeadStore } from '../src/fs/fs.ts'
import { MemoryFileStore } from '../src/fs/memory-file-store.ts'
import { VarveError } from '../src/kernel/errors.ts'
import { failure } from '../src/testing/simulated-failure.ts'
import { Simulation, TINY_SETTINGS } from './simulation.ts'

const KEY = Buffer.from('key')

/** `heads`, with some functions in another way. */
function changed(heads: HeadStore, functions: Partial<HeadStore>): HeadStore {
  return {
    name: heads.name,
    read: heads.read.bind(heads),
    compareAndSet: heads.compareAndSet.bind(heads),
    ...functions,
  }
}

async function withEntry(flushed: boolean): Promise<Simulation> {
  const simulation = await Simulation.start(1, TINY_SETTINGS)
  await simulation.db.put(KEY, Buffer.from('value'), { durability: 'synced' })
  if (flushed) await simulation.db.flush()
  await simulation.db.close()
  return simulation
}

function composing(simulation: Simulation, compose: (parts: KvComponents) => KvComponents): void {
  simulation.composer = { compose }
}

test('whoever finds no head after its takeover met a conflict is not the owner', async () => {
  const simulation = await withEntry(false)
  composing(simulation, (parts) => {
    let conflicted = false
    return {
      ...parts,
      heads: changed(parts.heads, {
        read: (...call) => (conflicted ? Promise.resolve(undefined) : parts.heads.read(...call)),
        compareAndSet: () => {
          conflicted = true
          return Promise.reject(new VarveError('HEAD_CONFLICT', 'somebody was faster'))
        },
      }),
    }
  })
  await assert.rejects(simulation.open(), { code: 'FENCED' })
  composing(simulation, (parts) => parts)
  await simulation.open()
  assert.equal(Buffer.from((await simulation.db.get(KEY)) ?? []).toString(), 'value')
  await simulation.stop()
})

test('only read, a shard whose record is damaged or cannot be read says so, and its head is asked for once more', async () => {
  const simulation = await withEntry(false)
  const segment = simulation.device.files().find((path) => path.endsWith('.log')) as string
  const inode = simulation.device.inode(segment)
  const at = Buffer.from(inode.content()).indexOf('value')
  let reads = 0
  composing(simulation, (parts) => ({
    ...parts,
    heads: changed(parts.heads, { read: (...call) => (reads++, parts.heads.read(...call)) }),
  }))
  inode.flipBit(at, 1)
  await assert.rejects(simulation.open({ readOnly: true }), { code: 'JOURNAL_CORRUPT' })
  assert.equal(reads, 2, 'the owner may have gone on meanwhile')
  inode.flipBit(at, 1)
  reads = 0
  simulation.beforeOperation = ({ operation, path }) => {
    if (operation === 'read' && path === segment) throw failure('IO_FAILED', operation, path)
  }
  await assert.rejects(simulation.open({ readOnly: true }), { code: 'IO_FAILED' })
  assert.equal(reads, 1)
  simulation.beforeOperation = () => {}
  await simulation.open({ readOnly: true })
  assert.equal(Buffer.from((await simulation.db.get(KEY)) ?? []).toString(), 'value')
  await simulation.stop()
})

test('only read, a shard that is not there is not made, and one that must not be there is refused', async () => {
  const simulation = await withEntry(true)
  await assert.rejects(simulation.open({ readOnly: true, errorIfExists: true }), { code: 'EXISTS' })
  composing(simulation, (parts) => ({
    ...parts,
    heads: changed(parts.heads, { read: () => Promise.resolve(undefined) }),
    files: new MemoryFileStore({ hash: parts.hash }),
  }))
  await assert.rejects(simulation.open({ readOnly: true }), { code: 'NOT_FOUND' })
  await assert.rejects(simulation.open({ createIfMissing: false }), { code: 'NOT_FOUND' })
})
