import assert from 'node:assert/strict'
import { test } from 'node:test'
import { VarveError } from '../kernel/errors.ts'
import { fileName, shardId } from '../kernel/ids.ts'
import { MemoryHeadStore } from '../fs/memory-head-store.ts'
import { plainHead } from '../../test/plain-head.ts'
import { Committer } from './committer.ts'
import { EMPTY_MANIFEST } from './edit.ts'
import { HandOvers } from './hand-over.ts'
import { decodeHead, encodeHead } from './head-content.ts'
import type { HeadContent } from './head-content.ts'

const [SHARD, LEFT, RIGHT] = [shardId('main'), shardId('left'), shardId('right')]
const KEPT = { name: 'backup', files: [fileName('main.kept')] }

class FailingHeads extends MemoryHeadStore {
  fails = false

  override async compareAndSet(
    ...call: Parameters<MemoryHeadStore['compareAndSet']>
  ): ReturnType<MemoryHeadStore['compareAndSet']> {
    if (this.fails) throw new VarveError('IO_FAILED', 'no device')
    return super.compareAndSet(...call)
  }
}

/** A shard that notes what handing over asks of it. */
class HandedOver {
  readonly heads = new FailingHeads()
  readonly told: string[] = []
  pinned = 0
  flushes: () => Promise<void> = () => Promise.resolve()
  check: () => void = () => undefined
  readonly handOvers: HandOvers<number>

  private constructor(committer: Committer) {
    const manifest = { state: EMPTY_MANIFEST }
    const views = { pin: () => ++this.pinned, unpin: () => void this.pinned-- }
    this.handOvers = new HandOvers(SHARD, committer, manifest, views, {
      check: () => this.check(),
      flush: () => this.flushes(),
      resumed: () => this.told.push('resumed'),
      ended: ({ code }) => this.told.push(`ended ${code}`),
    })
  }

  static async start(): Promise<HandedOver> {
    const content = plainHead({ pins: [KEPT] })
    const heads = new FailingHeads()
    const version = await heads.compareAndSet(SHARD, undefined, encodeHead(content))
    const shard = new HandedOver(new Committer(heads, SHARD, version, content))
    return Object.assign(shard, { heads })
  }

  async head(): Promise<HeadContent> {
    const { content = new Uint8Array(0) } = (await this.heads.read(SHARD)) ?? {}
    return decodeHead(content, 'head')
  }
}

test('a shard is handed over once at a time, and again when it goes on', async () => {
  const { handOvers, told } = await HandedOver.start()
  const first = handOvers.begin()
  await assert.rejects(handOvers.begin(), { code: 'BUSY' })
  const handOver = await first
  await assert.rejects(handOvers.begin(), { code: 'BUSY' })
  await handOver.resume([LEFT])
  await (await handOvers.begin()).resume([LEFT])
  assert.deepEqual(told, ['resumed', 'resumed'])
})

test('a shard that cannot put everything into files goes on, and can be handed over when it can', async () => {
  const shard = await HandedOver.start()
  shard.flushes = () => Promise.reject(new VarveError('NO_SPACE', 'the disk is full'))
  await assert.rejects(shard.handOvers.begin(), { code: 'NO_SPACE' })
  assert.deepEqual([shard.told, shard.pinned], [['resumed'], 0])
  shard.flushes = () => Promise.resolve()
  await (await shard.handOvers.begin()).resume([LEFT])
})

test('a shard with nothing to hand over says so, and is not held up', async () => {
  const shard = await HandedOver.start()
  shard.check = () => {
    throw new VarveError('FENCED', 'another owner')
  }
  await assert.rejects(shard.handOvers.begin(), { code: 'FENCED' })
  assert.deepEqual(shard.told, [])
})

test('files stay while a shard is being handed over, and go on from where they were when it is not', async () => {
  const shard = await HandedOver.start()
  const handOver = await shard.handOvers.begin()
  assert.equal(shard.pinned, 1)
  await handOver.resume([LEFT])
  assert.equal(shard.pinned, 0)
})

test('a change that was given up leaves no seal and no pin of its successors, and every other pin', async () => {
  const shard = await HandedOver.start()
  const handOver = await shard.handOvers.begin()
  for (const successor of [LEFT, RIGHT]) await handOver.pin(successor, [fileName('main.table')])
  await handOver.seal(LEFT, [LEFT, RIGHT])
  const sealed = await shard.head()
  assert.equal(sealed.succession?.state, 'sealed')
  assert.deepEqual(
    sealed.pins.map(({ name }) => name),
    ['backup', 'clone:left', 'clone:right'],
  )
  await handOver.resume([LEFT, RIGHT])
  const after = await shard.head()
  assert.deepEqual([after.succession, after.pins], [undefined, [KEPT]])
})

test('where the head cannot be changed, a change that was given up lets writes go on all the same', async () => {
  const shard = await HandedOver.start()
  const handOver = await shard.handOvers.begin()
  shard.heads.fails = true
  await handOver.resume([LEFT])
  assert.deepEqual([shard.told, shard.pinned], [['resumed'], 0])
})

test('a shard that was replaced ends, and is not handed over again', async () => {
  const shard = await HandedOver.start()
  const handOver = await shard.handOvers.begin()
  handOver.end(new VarveError('SUPERSEDED', 'replaced'))
  await assert.rejects(shard.handOvers.begin(), { code: 'BUSY' })
  assert.deepEqual(shard.told, ['ended SUPERSEDED'])
})
