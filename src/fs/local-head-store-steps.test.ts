/** Local heads among simulated processes: their steps in any order, killed at any of them, and the power cut after that. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isCode } from '../kernel/errors.ts'
import { loadHash } from '../kernel/hash.ts'
import { shardId } from '../kernel/ids.ts'
import { SeededRandom } from '../testing/seeded-random.ts'
import { SimulatedClock } from '../testing/simulated-clock.ts'
import { SimulatedDevice } from '../testing/simulated-device.ts'
import { SteppedProcesses } from '../testing/stepped-processes.ts'
import type { SteppedProcess } from '../testing/stepped-processes.ts'
import type { HeadVersion } from './fs.ts'
import { LocalHeadStore } from './local-head-store.ts'

const hash = await loadHash()
const SHARD = shardId('s')
// The content of a file does not change once it has a name.
const STEPS = ['open', 'link', 'unlink', 'list', 'syncDirectory'] as const

/** Heads whose content is the list of all changes made to them. */
class Ledger {
  device = new SimulatedDevice()
  readonly processes = new SteppedProcesses(this.device, STEPS, new SimulatedClock())
  readonly random: SeededRandom
  readonly acknowledged: string[] = []
  readonly versions: HeadVersion[] = []
  conflicts = 0
  failure: unknown

  constructor(seed: number) {
    this.random = new SeededRandom(seed)
  }

  open(device: SteppedProcess['device'] = this.device): Promise<LocalHeadStore> {
    return LocalHeadStore.open({ device, directory: 'heads', hash, random: this.random })
  }

  /** A process that adds `count` entries, each to what it has read, whatever others do meanwhile. */
  async start(count: number): Promise<SteppedProcess> {
    const process = this.processes.spawn()
    await process.run(async () => {
      const store = await this.open(process.device)
      try {
        for (let index = 0; index < count; index++) await this.#add(store, `${process.pid}.${index}`)
      } catch (error) {
        this.failure ??= error
      }
    })
    return process
  }

  async #add(store: LocalHeadStore, entry: string): Promise<void> {
    for (;;) {
      const head = await store.read(SHARD)
      const entries = entriesOf(head?.content)
      // A conflict may be reported for what happened and was overtaken: then it is there.
      if (entries.includes(entry)) return
      try {
        this.versions.push(await store.compareAndSet(SHARD, head?.version, bytesOf([...entries, entry])))
        this.acknowledged.push(entry)
        return
      } catch (error) {
        if (!isCode(error, 'HEAD_CONFLICT')) throw error
        this.conflicts++
      }
    }
  }

  /** What was acknowledged is there, once, and stays there when the power goes. */
  async check(about: string): Promise<void> {
    assert.equal(this.failure, undefined, about)
    assert.equal(new Set(this.versions).size, this.versions.length, `${about}: two were told of one version`)
    await this.#checkEntries(about)
    this.device = this.device.crash({ data: 'none', names: 'none' }, 1)
    await this.#checkEntries(`${about}, the power was cut`)
  }

  async #checkEntries(about: string): Promise<void> {
    const store = await this.open()
    const entries = entriesOf((await store.read(SHARD))?.content)
    assert.equal(new Set(entries).size, entries.length, `${about}: ${entries.join(' ')} has an entry twice`)
    for (const entry of this.acknowledged) assert.ok(entries.includes(entry), `${about}: ${entry} is lost`)
  }
}

function entriesOf(content: Uint8Array | undefined): string[] {
  return new TextDecoder()
    .decode(content)
    .split(' ')
    .filter((entry) => entry !== '')
}

function bytesOf(entries: readonly string[]): Uint8Array {
  return new TextEncoder().encode(entries.join(' '))
}

test('no acknowledged change is lost or made twice, in any order of steps, whoever is killed', async () => {
  let [acknowledged, conflicts, killed] = [0, 0, 0]
  for (let seed = 1; seed <= 250; seed++) {
    const ledger = new Ledger(seed)
    const { random } = ledger
    const writers: SteppedProcess[] = []
    for (let count = 2 + random.below(3); count > 0; count--) writers.push(await ledger.start(1 + random.below(3)))
    const [burst, killOnceIn] = [1 + random.below(30), random.once(2) ? 0 : 20 + random.below(40)]
    for (;;) {
      const running = writers.filter((writer) => writer.running)
      const writer = running[random.below(running.length)]
      if (writer === undefined) break
      if (killOnceIn > 0 && random.once(killOnceIn)) {
        writer.kill()
        killed++
      } else {
        await writer.steps(1 + random.below(burst))
      }
    }
    await ledger.check(`seed ${seed}`)
    acknowledged += ledger.acknowledged.length
    conflicts += ledger.conflicts
  }
  assert.ok(acknowledged > 700 && conflicts > 200 && killed > 20, `${acknowledged} ${conflicts} ${killed}`)
})

test('two writers that rest, each at any of its steps, while a third goes far ahead, undo nothing of it', async () => {
  let cases = 0
  for (const ahead of [1, 2, 4]) {
    for (let first = 0, more = true; more; first += 1) {
      for (let second = 0, moreOfSecond = true; moreOfSecond; second += 3) {
        const ledger = new Ledger(1)
        await (await ledger.start(cases % 3)).steps()
        const [a, b] = [await ledger.start(1), await ledger.start(1)]
        await a.steps(first)
        await b.steps(second)
        more = a.running
        moreOfSecond = b.running
        await (await ledger.start(ahead)).steps()
        for (const writer of cases++ % 2 === 0 ? [a, b] : [b, a]) await writer.steps()
        await ledger.check(`${first}, ${second}, ${ahead} ahead`)
        assert.equal(ledger.acknowledged.length, ledger.versions.length)
      }
    }
  }
  assert.ok(cases > 100, `${cases} cases`)
})
