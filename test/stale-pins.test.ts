/** Pins for shards that were to be: which of them the next owner lets go. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { HeadStore } from '../src/fs/fs.ts'
import { LocalHeadStore } from '../src/fs/local-head-store.ts'
import { loadHash } from '../src/kernel/hash.ts'
import { fileName, shardId } from '../src/kernel/ids.ts'
import type { FileName } from '../src/kernel/ids.ts'
import { decodeHead, encodeHead } from '../src/shard/head-content.ts'
import type { Succession } from '../src/shard/head-content.ts'
import { changePin, clonePin } from '../src/shard/pins.ts'
import { plainHead } from './plain-head.ts'
import { Simulation, TINY_SETTINGS } from './simulation.ts'

const [MAIN, OTHER, LEAD, SECOND] = [shardId('main'), shardId('other'), shardId('lead'), shardId('second')]

/** Opens a shard with pins for `lead` and `second`, and for somebody who is no shard: those that are left. */
async function keptPins(
  lead: Succession | 'done' | 'absent',
  second: Succession | 'absent',
): Promise<readonly string[]> {
  const simulation = await Simulation.start(1, TINY_SETTINGS)
  await simulation.db.put(Buffer.from('key'), Buffer.from('value'))
  await simulation.db.close()
  const { device, random } = simulation
  const heads = await LocalHeadStore.open({ device, directory: 'heads', hash: await loadHash(), random })
  for (const [shard, state] of [
    [LEAD, lead],
    [SECOND, second],
  ] as const) {
    if (state === 'absent') continue
    const content = plainHead(state === 'done' ? {} : { succession: state })
    await heads.compareAndSet(shard, undefined, encodeHead(content))
  }
  const pins = [clonePin(LEAD), clonePin(SECOND), 'backup'].map((name) => ({ name, files: [fileName('main.kept')] }))
  const head = await heads.read(MAIN)
  assert.ok(head !== undefined)
  await heads.compareAndSet(MAIN, head.version, encodeHead({ ...decodeHead(head.content, 'head'), pins }))

  await simulation.open()
  const { content = new Uint8Array(0) } = (await heads.read(MAIN)) ?? {}
  await simulation.stop()
  return decodeHead(content, 'head').pins.map(({ name }) => name)
}

const forming = (...parents: (typeof MAIN)[]): Succession => ({ state: 'forming', lead: LEAD, parents })
const [BACKUP, FIRST_TWO] = ['backup', [clonePin(LEAD), clonePin(SECOND)]] as const

test('a pin for a shard that never was, or never will be, goes; that of anybody else stays', async () => {
  assert.deepEqual(await keptPins('absent', 'absent'), [BACKUP])
  assert.deepEqual(await keptPins({ state: 'void' }, forming(OTHER)), [BACKUP])
  assert.deepEqual(await keptPins('absent', forming(OTHER)), [BACKUP])
})

test('a pin for a shard that is, or that came of a change that was made, stays', async () => {
  assert.deepEqual(await keptPins('done', forming(MAIN, OTHER)), [...FIRST_TWO, BACKUP])
})

test('a pin for shards that are to replace another one stays while that is open, and goes where they were to replace this', async () => {
  assert.deepEqual(await keptPins(forming(OTHER), forming(OTHER)), [...FIRST_TWO, BACKUP])
  assert.deepEqual(await keptPins(forming(MAIN), forming(MAIN)), [BACKUP])
  assert.deepEqual(await keptPins(forming(OTHER, MAIN), forming(OTHER, MAIN)), [BACKUP])
})

const change = (): readonly FileName[] => [fileName('main.kept')]

/** Opens a shard with a pin for `lead`, who is not, while `read` takes the place of looking for that one's head: those that are left. */
async function pinsLeftTo(seed: number, read: (heads: HeadStore) => ReturnType<HeadStore['read']>) {
  const simulation = await Simulation.start(seed, TINY_SETTINGS)
  await simulation.db.close()
  const { device, random } = simulation
  const heads = await LocalHeadStore.open({ device, directory: 'heads', hash: await loadHash(), random })
  await changePin(heads, MAIN, clonePin(LEAD), change)
  simulation.composer = {
    compose: (parts) => ({
      ...parts,
      heads: {
        name: heads.name,
        compareAndSet: (...call) => heads.compareAndSet(...call),
        read: (...call) => (call[0] === LEAD ? read(heads) : heads.read(...call)),
      },
    }),
  }
  await simulation.open()
  const { content = new Uint8Array(0) } = (await heads.read(MAIN)) ?? {}
  await simulation.stop()
  return decodeHead(content, 'head').pins.map(({ name }) => name)
}

// It had looked for the shard's head before that was written, and dropped the pin when it was there.
test('a pin stays where its shard comes to be while the next owner looks for it', async () => {
  const left = await pinsLeftTo(2, async (heads) => {
    const found = await heads.read(LEAD)
    if (found === undefined) {
      await heads.compareAndSet(LEAD, undefined, encodeHead(plainHead({})))
      await changePin(heads, MAIN, clonePin(LEAD), change)
    }
    return found
  })
  assert.deepEqual(left, [clonePin(LEAD)])
})

test('a pin without a shard goes also where somebody changes another one while the next owner looks', async () => {
  let isChanged = false
  const left = await pinsLeftTo(3, async (heads) => {
    if (!isChanged) await changePin(heads, MAIN, BACKUP, change)
    isChanged = true
    return heads.read(LEAD)
  })
  assert.deepEqual(left, [BACKUP])
})
