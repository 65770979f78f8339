/** Opening a shard whose head, files or journal go, change or fail while they are looked at. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { KvComponents } from '../src/engines/kv/open-kv.ts'
import type { HeadStore } from '../src/fs/fs.ts'
import { MemoryFileStore } from '../src/fs/memory-file-store.ts'
import { VarveError } from '../src/kernel/errors.ts'
import { epoch } from '../src/kernel/ids.ts'
import { decodeHead, encodeHead } from '../src/shard/head-content.ts'
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

test('whoever was replaced while it opened the journal is told so, and does not open', async () => {
  const simulation = await withEntry(false)
  let closed = 0
  composing(simulation, (parts) => {
    const { journal } = parts
    return {
      ...parts,
      journal: {
        name: journal.name,
        version: journal.version,
        supports: journal.supports,
        openReadOnly: journal.openReadOnly.bind(journal),
        open: async (...call) => {
          const opened = await journal.open(...call)
          const close = opened.close.bind(opened)
          opened.close = () => (closed++, close())
          const head = await parts.heads.read(parts.shard)
          assert.ok(head !== undefined)
          const content = decodeHead(head.content, 'head')
          const next = { ...content, epoch: epoch(content.epoch + 1), owner: 'another' }
          await parts.heads.compareAndSet(parts.shard, head.version, encodeHead(next))
          return opened
        },
      },
    }
  })
  await assert.rejects(simulation.open(), { code: 'FENCED' })
  assert.equal(closed, 1, 'the journal is still open')
})

test('a take-over of which nobody knows whether it will still happen is not tried again', async () => {
  const simulation = await withEntry(false)
  let asked = 0
  composing(simulation, (parts) => ({
    ...parts,
    heads: changed(parts.heads, {
      compareAndSet: (...call) => {
        if (asked++ > 0) return parts.heads.compareAndSet(...call)
        return Promise.reject(new VarveError('OUTCOME_UNKNOWN', 'no answer'))
      },
    }),
  }))
  await assert.rejects(simulation.open(), { code: 'FENCED' })
  assert.equal(asked, 1)
})

test('what the owner commits while another looks at its files, and takes over, is not lost', async () => {
  const owner = await Simulation.start(1, TINY_SETTINGS)
  await owner.db.put(KEY, Buffer.from('older'))
  await owner.db.flush()
  const next = new Simulation(2, TINY_SETTINGS)
  next.device = owner.device
  next.cleansUp = false
  composing(next, (parts) => {
    let asked = 0
    return {
      ...parts,
      heads: changed(parts.heads, {
        compareAndSet: async (...call) => {
          if (asked++ === 0) {
            await owner.db.put(KEY, Buffer.from('newer'))
            await owner.db.compactRange()
          }
          return parts.heads.compareAndSet(...call)
        },
      }),
    }
  })
  await next.open()
  assert.equal(Buffer.from((await next.db.get(KEY)) ?? []).toString(), 'newer')
  await next.db.compactRange()
  composing(next, (parts) => parts)
  await next.reopen()
  assert.equal(Buffer.from((await next.db.get(KEY)) ?? []).toString(), 'newer')
  await next.stop()
  await owner.stop().catch(() => undefined)
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
