import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MemoryFileStore } from '../fs/memory-file-store.ts'
import { MemoryHeadStore } from '../fs/memory-head-store.ts'
import { VarveError } from '../kernel/errors.ts'
import { loadHash } from '../kernel/hash.ts'
import { epoch, fileName, shardId } from '../kernel/ids.ts'
import type { FileName, ShardId } from '../kernel/ids.ts'
import { plainHead } from '../../test/plain-head.ts'
import { FileRemover } from './file-remover.ts'
import { decodeHead, encodeHead } from './head-content.ts'
import type { Pin } from './head-content.ts'
import { changePin, clonedBy } from './pins.ts'

const [own, other] = [shardId('own'), shardId('other')]
const hash = await loadHash()

const HEAD = plainHead({ commit: 1 })

async function bench(pins: readonly Pin[] = []) {
  const place = { files: new MemoryFileStore({ hash }), heads: new MemoryHeadStore() }
  const names = async (): Promise<readonly string[]> => (await place.files.list()).map(({ name }) => name).sort()
  const write = async (...all: readonly string[]): Promise<readonly FileName[]> => {
    for (const name of all) await (await place.files.create(fileName(name))).finish()
    return all.map((name) => fileName(name))
  }
  const pinsOf = async (shard: ShardId): Promise<readonly Pin[]> =>
    decodeHead((await place.heads.read(shard))?.content ?? new Uint8Array(0), 'head').pins
  return { place, names, write, pinsOf, remover: new FileRemover(own, place, () => pins) }
}

test('orphans are what earlier owners left and nothing refers to: not what this owner makes, nor names of another kind', async () => {
  const { names, write, remover } = await bench()
  const all = ['own.e1-j1-a1-0.table', 'own.e2-j1-a1-0.table', 'own.e3-j1-a1-0.table', 'own.e1-m1.manifest']
  await write(...all, 'own.e1-m2.manifest', 'own.backup', 'other.e1-j1-a1-0.table')
  const manifest = { files: new Map([[fileName('own.e2-j1-a1-0.table'), undefined]]) }
  const base = { name: fileName('own.e1-m2.manifest'), bytes: 0, checksum: '' }
  await remover.removeOrphans(epoch(3), { ...HEAD, base }, manifest as never, hash)
  await remover.idle()
  const left = ['other.e1-j1-a1-0.table', 'own.backup', 'own.e1-m2.manifest', 'own.e2-j1-a1-0.table']
  assert.deepEqual(await names(), [...left, 'own.e3-j1-a1-0.table'])
})

// A head of another database put in the place of ours had all tables removed.
test('where a file that is referenced is missing, nothing is an orphan, but files of other shards are not looked for', async () => {
  const { names, write, remover } = await bench()
  const [present] = (await write('own.e1-j1-a1-0.table', 'own.e1-j2-a1-0.table')) as [FileName]
  const refersTo = (...all: readonly string[]): never =>
    ({ files: new Map(all.map((name) => [name, undefined])) }) as never
  await remover.removeOrphans(epoch(3), HEAD, refersTo(present, 'own.e2-j1-a1-0.table'), hash)
  const base = { name: fileName('own.e2-m1.manifest'), bytes: 0, checksum: '' }
  await remover.removeOrphans(epoch(3), { ...HEAD, base }, refersTo(present), hash)
  await remover.idle()
  assert.deepEqual(await names(), [present, 'own.e1-j2-a1-0.table'])
  await remover.removeOrphans(epoch(3), HEAD, refersTo(present, 'other.e2-j1-a1-0.table'), hash)
  await remover.idle()
  assert.deepEqual(await names(), [present])
})

test('a file that a clone needs is not removed, and one of another shard is let go there, alone', async () => {
  const { place, names, write, pinsOf, remover } = await bench([{ name: 'clone:x', files: [fileName('own.e1-a')] }])
  const [kept, gone] = await write('own.e1-a', 'own.e1-b', 'other.e1-a', 'other.e1-b')
  const pin = { name: 'clone:own', files: [fileName('other.e1-a'), fileName('other.e1-b')] }
  const foreign = { name: 'clone:third', files: [fileName('other.e1-a')] }
  await place.heads.compareAndSet(other, undefined, encodeHead({ ...HEAD, pins: [pin, foreign] }))
  remover.remove([kept, gone, fileName('other.e1-a')].flatMap((name) => name ?? []))
  await remover.idle()
  assert.deepEqual(await names(), ['other.e1-a', 'other.e1-b', 'own.e1-a'])
  assert.deepEqual(await pinsOf(other), [foreign, { ...pin, files: [fileName('other.e1-b')] }])
  remover.remove([fileName('other.e1-b')])
  await remover.idle()
  assert.deepEqual(await pinsOf(other), [foreign], 'a pin without files is none')
})

test('a pin is changed however often others come in between, and however an answer is lost; of a shard that is gone there is none', async () => {
  const { place, pinsOf } = await bench()
  const { heads } = place
  await heads.compareAndSet(other, undefined, encodeHead(HEAD))
  const errors = ['HEAD_CONFLICT', 'OUTCOME_UNKNOWN', 'IO_FAILED'] as const
  let next = 0
  const unsteady = {
    read: (shard: ShardId) => heads.read(shard),
    compareAndSet: (...call: Parameters<typeof heads.compareAndSet>) => {
      const code = errors[next++]
      return code === undefined ? heads.compareAndSet(...call) : Promise.reject(new VarveError(code, 'no'))
    },
  }
  const add = (files: readonly FileName[]): readonly FileName[] => [...files, fileName('f')]
  await assert.rejects(changePin(unsteady as never, other, 'p', add), { code: 'IO_FAILED' })
  await changePin(unsteady as never, other, 'p', add)
  assert.deepEqual(await pinsOf(other), [{ name: 'p', files: ['f'] }])
  await changePin(heads, shardId('nobody'), 'p', add)
  assert.equal(await heads.read(shardId('nobody')), undefined)
})

test('only the pin of a clone names the shard that it is for', () => {
  assert.equal(clonedBy({ name: 'clone:x', files: [] }), 'x')
  assert.equal(clonedBy({ name: 'reader', files: [] }), undefined)
})

test('a removal that fails leaves an orphan, and holds up neither the others nor whoever waits for the end', async () => {
  const { place, names, write, remover } = await bench()
  const [first, second] = await write('own.e1-a', 'own.e1-b')
  assert.ok(first !== undefined && second !== undefined)
  const remove = place.files.remove.bind(place.files)
  place.files.remove = (all) => (all.includes(first) ? Promise.reject(new VarveError('IO_FAILED', 'no')) : remove(all))
  remover.remove([first])
  remover.remove([second])
  await remover.idle()
  assert.deepEqual(await names(), ['own.e1-a'])
})

test('a file of another shard that could not be let go is let go with what is removed next', async () => {
  const { place, pinsOf, remover } = await bench()
  const pin = { name: 'clone:own', files: [fileName('other.e1-a'), fileName('other.e1-b')] }
  await place.heads.compareAndSet(other, undefined, encodeHead({ ...HEAD, pins: [pin] }))
  const read = place.heads.read.bind(place.heads)
  place.heads.read = () => Promise.reject(new VarveError('IO_FAILED', 'no'))
  remover.remove([fileName('other.e1-a')])
  await remover.idle()
  place.heads.read = read
  remover.remove([])
  await remover.idle()
  assert.deepEqual(await pinsOf(other), [{ ...pin, files: [fileName('other.e1-b')] }])
})
