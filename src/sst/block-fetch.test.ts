import assert from 'node:assert/strict'
import { test } from 'node:test'
import { VarveError, isCode } from '../kernel/errors.ts'
import { BlockFetch } from './block-fetch.ts'
import type { BlockSource } from './block-fetch.ts'

class Source implements BlockSource {
  readonly holds: number[] = []
  readonly loaded: number[] = []
  failing: number | undefined
  #gates: (() => void)[] = []
  gated = false

  async load(blockNumber: number): Promise<object> {
    if (this.gated) await new Promise<void>((resolve) => this.#gates.push(resolve))
    return Promise.resolve(this.loadSync(blockNumber))
  }

  loadSync(blockNumber: number): object {
    if (this.failing === blockNumber) throw new VarveError('IO_FAILED', `block ${blockNumber}`)
    this.loaded.push(blockNumber)
    return { blockNumber }
  }

  /** Even numbers are at hand. */
  loadNow(blockNumber: number): object | undefined {
    return blockNumber % 2 === 0 ? this.loadSync(blockNumber) : undefined
  }

  open(): void {
    for (const gate of this.#gates.splice(0)) gate()
  }

  hold(blockNumber: number): void {
    this.holds.push(blockNumber)
  }

  letGo(blockNumber: number): void {
    this.holds.splice(this.holds.indexOf(blockNumber), 1)
  }
}

test('what was wanted is found after a fill, until the fetch is cleared', async () => {
  const source = new Source()
  const fetch = new BlockFetch()
  fetch.want(source, 1)
  fetch.want(source, 2)
  fetch.want(source, 1)
  assert.equal(fetch.pending, true)
  await fetch.fill()
  fetch.want(source, 3)
  fetch.fillSync()
  assert.deepEqual(source.loaded, [1, 2, 3])
  assert.deepEqual(fetch.find(source, 2), { blockNumber: 2 })
  assert.equal(fetch.find(new Source(), 2), undefined)
  assert.deepEqual(source.holds, [1, 2, 3])
  fetch.clear()
  fetch.clear()
  assert.equal(fetch.find(source, 2), undefined)
  assert.deepEqual(source.holds, [])
})

test('the first failure in the order asked is the one reported, and what was loaded is kept', async () => {
  const source = new Source()
  const fetch = new BlockFetch()
  source.failing = 2
  for (const number of [1, 2, 3]) fetch.want(source, number)
  await assert.rejects(fetch.fill(), /block 2/)
  assert.equal(fetch.pending, false)
  assert.notEqual(fetch.find(source, 3), undefined)
  fetch.clear()
})

test('an aborted fill leaves at once; the load goes on and its failure troubles nobody', async () => {
  const source = new Source()
  source.gated = true
  source.failing = 1
  const fetch = new BlockFetch()
  fetch.want(source, 1)
  const abort = new AbortController()
  const filled = fetch.fill(abort.signal)
  abort.abort(new Error('enough'))
  await assert.rejects(filled, (error) => isCode(error, 'ABORTED'))
  source.open()
  fetch.clear()
  assert.deepEqual(source.holds, [])
})

test('what is at hand is loaded at once, what is not stays wanted', async () => {
  const source = new Source()
  const fetch = new BlockFetch()
  for (const number of [2, 3, 4, 5]) fetch.want(source, number)
  assert.equal(fetch.fillNow(), false)
  assert.deepEqual(source.loaded, [2, 4])
  assert.deepEqual(source.holds, [2, 4])
  assert.ok(fetch.find(source, 4) !== undefined && fetch.find(source, 3) === undefined)
  assert.ok(fetch.pending)
  await fetch.fill()
  assert.deepEqual(source.loaded, [2, 4, 3, 5])
  fetch.want(source, 6)
  assert.equal(fetch.fillNow(), true)
  assert.equal(fetch.fillNow(), true, 'nothing is wanted')
  fetch.clear()
  assert.deepEqual(source.holds, [])
})
