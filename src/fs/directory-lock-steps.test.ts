/** The directory lock among simulated processes, their steps in orders from a seed and in all orders of a kind. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Device } from '../kernel/device.ts'
import { isCode } from '../kernel/errors.ts'
import { failsWith } from '../testing/expected-failure.ts'
import { SeededRandom } from '../testing/seeded-random.ts'
import { SimulatedClock } from '../testing/simulated-clock.ts'
import { SimulatedDevice } from '../testing/simulated-device.ts'
import { failure } from '../testing/simulated-failure.ts'
import { SteppedProcesses } from '../testing/stepped-processes.ts'
import type { SteppedProcess } from '../testing/stepped-processes.ts'
import { DirectoryLock } from './directory-lock.ts'

// What is read does not change once it has a name; between creating and writing a process may die.
const STEPS = ['open', 'write', 'link', 'rename', 'unlink', 'list'] as const

const nonceOf = (pid: number): string => pid.toString(16).padStart(16, 'd')

/** One directory, the processes that want its lock, and who has it. */
class World {
  readonly device = new SimulatedDevice()
  readonly processes = new SteppedProcesses(this.device, STEPS, new SimulatedClock())
  readonly random: SeededRandom
  readonly owners = new Set<SteppedProcess>()
  acquired = 0
  failure: unknown

  constructor(seed: number) {
    this.random = new SeededRandom(seed)
  }

  async put(path: string, text: string): Promise<void> {
    const file = await this.device.open(path, 'create')
    await file.write([new TextEncoder().encode(text)], 0)
  }

  /** Lock files of dead processes, each of which had taken over from the one before. */
  async leaveDead(count: number): Promise<void> {
    let place = 'lock'
    for (let index = 0; index < count; index++) {
      const process = this.processes.spawn()
      process.kill()
      await this.put(place, `varve lock 1\nboot\n${process.pid}\n${process.pid}\n${nonceOf(process.pid)}\n`)
      place = `lock.${nonceOf(process.pid)}`
    }
  }

  /** A process that tries `tries` times and gives the lock back each time, unless it is to keep it. */
  async start(tries: number, keep = false): Promise<SteppedProcess> {
    const process = this.processes.spawn()
    const options = { device: process.device, directory: '.', processes: process.table, random: this.random }
    await process.run(async () => {
      for (let left = tries; left > 0; left--) {
        try {
          const lock = await DirectoryLock.acquire(options)
          this.#own(process)
          if (keep) return
          for (let work = this.random.below(3); work > 0; work--) await process.pause()
          this.owners.delete(process)
          await lock.release()
        } catch (error) {
          if (!isCode(error, 'LOCKED')) this.failure ??= error
        }
      }
    })
    return process
  }

  kill(process: SteppedProcess): void {
    process.kill()
    this.owners.delete(process)
  }

  /** Everybody dies. Whoever comes gets the lock, and leaves the directory tidy. */
  async checkAfter(): Promise<void> {
    assert.equal(this.failure, undefined)
    for (const process of this.processes.all) this.kill(process)
    for (const round of ['at first', 'and after one more has died']) {
      const process = await this.start(1, true)
      await process.steps()
      assert.equal(this.owners.size, 1, `${round}: what only the dead have locked can be locked`)
      if (round === 'at first') this.kill(process)
    }
    // Of a file whose writer died before it had written to it nothing can be told.
    const rest = this.device.files().filter((path) => this.device.inode(path).length > 0)
    assert.deepEqual(rest, ['lock'], 'who takes over sweeps up')
    assert.equal(this.failure, undefined)
  }

  #own(process: SteppedProcess): void {
    this.owners.add(process)
    this.acquired++
    if (this.owners.size === 1) return
    this.failure ??= new Error(`processes ${[...this.owners].map(({ pid }) => pid).join(' and ')} both have the lock`)
  }
}

/** What a process may find. */
const FOUND: Readonly<Record<string, (world: World) => Promise<void>>> = {
  nothing: () => Promise.resolve(),
  'a dead holder': (world) => world.leaveDead(1),
  'a chain of dead holders': (world) => world.leaveDead(4),
  'a torn lock': (world) => world.put('lock', 'varve lock 1\nbo'),
  'a torn link behind a dead holder': async (world) => {
    await world.leaveDead(1)
    await world.put(`lock.${nonceOf(1)}`, '\0\0\0')
  },
}

for (const [found, prepare] of Object.entries(FOUND)) {
  test(`of several who find ${found} exactly one gets the lock, whatever the order of their steps`, async () => {
    for (let seed = 1; seed <= 60; seed++) {
      const world = new World(seed)
      await prepare(world)
      const contenders = await startAll(world, () => world.start(1, true))
      await interleave(world, contenders, 0)
      assert.equal(world.failure, undefined, `seed ${seed}: ${String(world.failure)}`)
      assert.equal(world.owners.size, 1, `seed ${seed}: ${world.owners.size} owners`)
      assert.deepEqual(world.device.files(), ['lock'], `seed ${seed}: nobody leaves anything`)
      await world.checkAfter()
    }
  })
}

test('never do two have it, while processes come, go, rest and die at any step', async () => {
  const prepare = Object.values(FOUND)
  let [acquired, killed] = [0, 0]
  for (let seed = 1; seed <= 150; seed++) {
    const world = new World(seed)
    const { random } = world
    await prepare[seed % prepare.length]?.(world)
    const contenders = await startAll(world, () => world.start(1 + random.below(3)))
    killed += await interleave(world, contenders, 10 + random.below(60))
    acquired += world.acquired
    assert.equal(world.failure, undefined, `seed ${seed}: ${String(world.failure)}`)
    await world.checkAfter()
  }
  assert.ok(acquired > 200 && killed > 100, `${acquired} times acquired, ${killed} killed`)
})

for (const found of ['nothing', 'a dead holder', 'a torn lock'] as const) {
  test(`two who find ${found} and rest, each at any of its steps, do no harm to a third that goes on`, async () => {
    let cases = 0
    for (let first = 0, more = true; more; first++) {
      for (let second = 0, moreOfSecond = true; moreOfSecond; second++) {
        for (const third of ['keeps it', 'gives it back', 'dies with it']) {
          const world = new World(7)
          await FOUND[found]?.(world)
          const [a, b] = [await world.start(1), await world.start(1)]
          await a.steps(first)
          await b.steps(second)
          more = a.running
          moreOfSecond = b.running
          const c = await world.start(1, third !== 'gives it back')
          await c.steps()
          if (third === 'dies with it') world.kill(c)
          for (const process of cases++ % 2 === 0 ? [a, b] : [b, a]) await process.steps()
          assert.equal(world.failure, undefined, `${first}, ${second}, it ${third}: ${String(world.failure)}`)
          await world.checkAfter()
        }
      }
    }
    assert.ok(cases > 150, `${cases} cases`)
  })
}

test('a device that fails at any operation, before or after the deed, keeps nobody out for good', async () => {
  for (const [found, prepare] of Object.entries(FOUND)) {
    for (const when of ['before', 'after'] as const) {
      for (let failing = 0, reached = true; reached; failing++) {
        const world = new World(3)
        await prepare(world)
        const options = { directory: '.', processes: world.processes.spawn().table, random: world.random }
        const fault = { left: failing }
        const device = failingAt(world.device, fault, when)
        const outcome = await DirectoryLock.acquire({ ...options, device }).catch((error: unknown) => error)
        reached = fault.left < 0
        fault.left = Infinity
        const about = `${found}, operation ${failing} failed ${when} the deed: ${String(outcome)}`
        if (outcome instanceof DirectoryLock) await outcome.release()
        else assert.ok(isCode(outcome, 'NO_SPACE'), about)
        const next = await DirectoryLock.acquire({ ...options, device }).catch((error: unknown) => error)
        assert.ok(next instanceof DirectoryLock, `${about}; then ${String(next)}`)
      }
    }
  }
})

test('a circle of lock files is refused, not followed for ever', async () => {
  const world = new World(1)
  await world.leaveDead(2)
  await world.device.link('lock', `lock.${nonceOf(2)}`)
  const { device, random } = world
  const options = { device, random, directory: '.', processes: world.processes.spawn().table }
  await failsWith(() => DirectoryLock.acquire(options), 'LOCKED', 'a circle')
})

async function startAll(world: World, start: () => Promise<SteppedProcess>): Promise<SteppedProcess[]> {
  const started: SteppedProcess[] = []
  for (let count = 2 + world.random.below(4); count > 0; count--) started.push(await start())
  return started
}

/**
 * Steps of processes in an order from the seed, in bursts of changing length. One burst in `killOnceIn` is a kill; half
 * of the killed have a successor.
 */
async function interleave(world: World, contenders: SteppedProcess[], killOnceIn: number): Promise<number> {
  const { random } = world
  const burst = 1 + random.below(12)
  let killed = 0
  for (let bursts = 0; bursts < 3000; bursts++) {
    const running = contenders.filter((process) => process.running)
    const process = running[random.below(running.length)]
    if (process === undefined) return killed
    if (killOnceIn > 0 && random.once(killOnceIn)) {
      world.kill(process)
      killed++
      if (random.once(2)) contenders.push(await world.start(2))
    } else {
      await process.steps(1 + random.below(burst))
    }
  }
  throw new Error('they go on for ever')
}

/** `device`, one of whose operations fails: that before which `left` have come and gone. */
function failingAt(device: Device, fault: { left: number }, when: 'before' | 'after'): Device {
  const operations: ReadonlySet<PropertyKey> = new Set(['open', 'link', 'rename', 'unlink', 'list'])
  return new Proxy(device, {
    get(target, name) {
      const found: unknown = Reflect.get(target, name, target)
      if (typeof found !== 'function') return found
      if (!operations.has(name)) return found.bind(target) as unknown
      return async (...call: unknown[]): Promise<unknown> => {
        const fails = fault.left-- === 0
        if (fails && when === 'before') throw failure('NO_SPACE', String(name), String(call[0]))
        const result: unknown = await Reflect.apply(found, target, call)
        if (fails) throw failure('NO_SPACE', String(name), String(call[0]))
        return result
      }
    },
  })
}
