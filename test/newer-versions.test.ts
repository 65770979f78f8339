/** A database that a newer version of varve has written, or another composition: it is refused, and stays as it was. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { LocalFileStore } from '../src/fs/local-file-store.ts'
import { LocalHeadStore } from '../src/fs/local-head-store.ts'
import { isCode } from '../src/kernel/errors.ts'
import { loadHash } from '../src/kernel/hash.ts'
import type { Hash } from '../src/kernel/hash.ts'
import { fileName, shardId } from '../src/kernel/ids.ts'
import { decodeEdit, encodeEdit } from '../src/shard/edit.ts'
import { decodeHead, encodeHead } from '../src/shard/head-content.ts'
import type { HeadContent } from '../src/shard/head-content.ts'
import { Simulation, TINY_SETTINGS } from './simulation.ts'

const SHARD = shardId('main')
const hash: Hash = await loadHash()

type Change = (head: HeadContent, files: LocalFileStore) => HeadContent | Uint8Array | Promise<HeadContent>

/** Whatever a newer version may change, each under checksums that are right. */
const CHANGES: Readonly<Record<string, Change>> = {
  'the head': (head) => {
    const bytes = encodeHead(head)
    bytes[0] = 3
    return bytes
  },
  'the engine': (head) => ({ ...head, engine: { ...head.engine, version: head.engine.version + 1 } }),
  'the journal': (head) => ({ ...head, journal: { ...head.journal, version: head.journal.version + 1 } }),
  'an identity that is not known': (head) => ({ ...head, identity: { ...head.identity, feature: 'new' } }),
  'the manifest': async (head, files) => {
    const name = fileName('main.e1-m9.manifest')
    const writer = await files.create(name)
    await writer.write(Uint8Array.from([0x56, 0x52, 0x56, 0x4d, 2, 1, 2, 3]))
    return { ...head, base: await writer.finish(), edits: [] }
  },
  'a table': (head) => ({
    ...head,
    edits: head.edits.map((bytes) => {
      const edit = decodeEdit(bytes, (reason) => assert.fail(reason))
      const added = edit.added.map((file) => ({ ...file, format: { ...file.format, version: 99 } }))
      return encodeEdit({ ...edit, added })
    }),
  }),
}

for (const [what, change] of Object.entries(CHANGES)) {
  test(`a newer version of ${what} is INCOMPATIBLE to who opens, and nothing is changed`, async () => {
    const simulation = await Simulation.start(1, TINY_SETTINGS)
    await simulation.db.put(Buffer.from('a'), Buffer.from('in a table'))
    await simulation.db.flush()
    await simulation.db.put(Buffer.from('b'), Buffer.from('in the journal'))
    await simulation.db.close()
    const { device, random } = simulation
    const heads = await LocalHeadStore.open({ device, directory: 'heads', hash, random })
    const files = await LocalFileStore.open({ device, directory: 'files', hash })
    const head = await heads.read(SHARD)
    assert.ok(head !== undefined)
    const content = await change(decodeHead(head.content, 'head'), files)
    await heads.compareAndSet(SHARD, head.version, content instanceof Uint8Array ? content : encodeHead(content))
    const before = imageOf(simulation)
    for (const readOnly of [true, false]) {
      await assert.rejects(
        simulation.open({ readOnly }),
        (error) => isCode(error, 'INCOMPATIBLE'),
        readOnly ? 'to read' : 'to write',
      )
      assert.deepEqual(imageOf(simulation), before)
    }
  })
}

function imageOf({ device }: Simulation): ReadonlyMap<string, string> {
  return new Map(device.files().map((path) => [path, Buffer.from(device.inode(path).content()).toString('hex')]))
}
