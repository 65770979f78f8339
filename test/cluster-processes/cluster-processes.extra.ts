/** A cluster of real processes under load, each of which is killed and stopped in turn, and one of which is cut off. */

import assert from 'node:assert/strict'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import type { KvShard } from '../../src/engines/kv/kv-shard.ts'
import { open } from '../../src/local.ts'
import { SETTINGS, valueOf } from '../kill/batches.ts'
import { keyOf } from './keys.ts'
import { NetworkNamespace } from './network-namespace.ts'
import { Host, Service } from './process-group.ts'
import { RESUME_MS, SILENCE_MS_MAX, openElsewhere } from './shard-elsewhere.ts'
import type { ShardPlaces } from './shard-elsewhere.ts'
import { assertRefused, assertSilenced, sleepsThroughTakeOver } from './take-over.ts'

const TOKEN = 'a token for tests of processes'

class Cluster {
  readonly journal: Service
  readonly files: Service
  readonly workers: readonly Service[]
  readonly #directory = fs.mkdtempSync(path.join(os.tmpdir(), 'varve-cluster-'))
  readonly #hosts: Host[] = []

  readonly #shared: boolean

  /**
   * @param shared the journal service keeps one log for all shards
   * @param at an address of this machine that the services listen on
   */
  constructor(context: TestContext, shared: boolean, address = '127.0.0.1') {
    this.#shared = shared
    const at = (name: string): string => path.join(this.#directory, name)
    fs.writeFileSync(at('tokens.json'), JSON.stringify([{ name: 'all', token: TOKEN }]))
    fs.writeFileSync(at('token'), TOKEN)
    const listen = (where: string): string[] => [
      '--listen',
      where.replace('127.0.0.1', address),
      '--tokens',
      at('tokens.json'),
    ]
    // In the layout of an embedded database the checker can open them.
    const layout = shared ? [] : ['--per-shard']
    this.journal = new Service((where) => ['serve', '--journal', at('journal'), ...layout, ...listen(where)])
    this.files = new Service((where) => ['serve', '--files', at('files'), '--jobs', '0', ...listen(where)])
    const work = (): readonly string[] => [
      'work',
      '--jobs-at',
      this.files.address,
      '--token',
      at('token'),
      '--nice',
      '0',
    ]
    this.workers = [new Service(work), new Service(work)]
    context.after(async () => {
      for (const each of this.#hosts) await each.kill()
      for (const each of [...this.workers, this.files, this.journal]) await each.process.kill()
      fs.rmSync(this.#directory, { recursive: true, force: true })
    })
  }

  async start(): Promise<void> {
    await Promise.all([this.journal.start(), this.files.start()])
    await Promise.all(this.workers.map((worker) => worker.start()))
  }

  /** @param prefix where it runs; there it goes on until it is told that there is another owner */
  async host(name: string, prefix?: readonly string[]): Promise<Host> {
    const host = new Host({ name, untilFenced: prefix !== undefined, ...this.#places }, prefix)
    this.#hosts.push(host)
    await host.opens()
    return host
  }

  /** Everything that any host was told of is there. Ends the services. @returns how many writes that are */
  async check(): Promise<number> {
    for (const host of this.#hosts) await host.kill()
    const db = await (this.#shared ? openElsewhere(this.#places) : this.#openTogether())
    let count = 0
    try {
      for (const host of this.#hosts) {
        for (const number of host.acknowledged) {
          count++
          assert.deepEqual(await db.get(keyOf(host.name, number)), valueOf(number), `${host.name} ${number} is lost`)
        }
      }
      for await (const { damage } of db.verify()) assert.equal(damage, undefined)
    } finally {
      await db.close()
    }
    return count
  }

  get #places(): ShardPlaces {
    return { files: this.files.address, journal: this.journal.address, token: TOKEN }
  }

  /** Files, heads and journal under one roof again, without the services. */
  async #openTogether(): Promise<KvShard> {
    for (const each of [...this.workers, this.files, this.journal]) await each.process.kill()
    const [from, to] = [path.join(this.#directory, 'journal'), path.join(this.#directory, 'files')]
    fs.rmSync(path.join(from, 'lock'), { force: true })
    fs.renameSync(path.join(from, 'journal'), path.join(to, 'journal'))
    return open(to, { jobs: 'inline', settings: SETTINGS })
  }
}

test('services, workers and hosts that are killed and stopped in turn lose nothing, and zombies are refused', async (context) => {
  const cluster = new Cluster(context, false)
  await cluster.start()
  const [one, two] = cluster.workers as [Service, Service]
  const first = await cluster.host('first')
  await first.acknowledges(200)
  // Whose end nobody but the broker should notice.
  await one.restart()
  await two.asleep(() => first.acknowledges(200))
  // Files and jobs: commits and flushes wait, writes go on as far as they may.
  await cluster.files.restart()
  await first.acknowledges(200)
  await cluster.files.asleep(() => first.acknowledges(8))
  await first.acknowledges(200)
  cluster.journal.process.signal('SIGSTOP')
  await new Promise((resolve) => setTimeout(resolve, 300))
  cluster.journal.process.signal('SIGCONT')
  await first.acknowledges(100)
  await cluster.journal.restart()
  // Of what was under way nobody knows what became. Who had nothing under way, as while writes wait for a flush, goes on.
  const goesOn = await first.givesOrAcknowledges(100)
  const second = await cluster.host('second')
  await second.acknowledges(100)
  await first.gives()
  if (goesOn) assertRefused(first, 'FENCED')
  else assertRefused(first, 'OUTCOME_UNKNOWN', 'POISONED')
  const third = await sleepsThroughTakeOver(second, () => cluster.host('third'))
  await third.kill()
  const fourth = await cluster.host('fourth')
  await fourth.acknowledges(100)
  context.diagnostic(`${await cluster.check()} writes acknowledged, none lost`)
})

// It was told that nobody knows: to open the shard again, which takes it from the one that has it.
test('a host that slept through a take-over is FENCED where all shards have one log', async (context) => {
  const cluster = new Cluster(context, true)
  await cluster.start()
  const first = await cluster.host('first')
  await first.acknowledges(100)
  await sleepsThroughTakeOver(first, () => cluster.host('second'))
  context.diagnostic(`${await cluster.check()} writes acknowledged, none lost`)
})

/** A host at the other end of a cable, which is pulled; another host has taken its shard since. */
async function cutOff(context: TestContext): Promise<Cut | undefined> {
  const namespace = NetworkNamespace.make()
  if (typeof namespace === 'string') {
    context.skip(namespace)
    return undefined
  }
  context.after(() => namespace.remove())
  const cluster = new Cluster(context, true, namespace.address)
  await cluster.start()
  const far = await cluster.host('far', namespace.prefix)
  await far.acknowledges(100)
  namespace.pull()
  const near = await cluster.host('near')
  await near.acknowledges(100)
  return { namespace, cluster, far, near, said: far.acknowledged.length }
}

interface Cut {
  readonly namespace: NetworkNamespace
  readonly cluster: Cluster
  readonly far: Host
  readonly near: Host
  /** What the host had said by then. */
  readonly said: number
}

test('a host that is cut off by a pulled cable is replaced, and refused when it is back', async (context) => {
  const cut = await cutOff(context)
  if (cut === undefined) return
  const { namespace, cluster, far, near, said } = cut
  namespace.plug()
  await far.gives()
  // Where this machine is so busy that it was away for too long, it was told that nobody knows before.
  assertRefused(far, 'FENCED', ...(far.refusals.has('OUTCOME_UNKNOWN') ? ['OUTCOME_UNKNOWN', 'POISONED'] : []))
  assertSilenced(far, said)
  await near.acknowledges(100)
  context.diagnostic(`${await cluster.check()} writes acknowledged, none lost`)
})

test('the writes of a host that stays cut off settle in time, and once it is back it is told who has its shard', async (context) => {
  const cut = await cutOff(context)
  if (cut === undefined) return
  const { namespace, cluster, far, near, said } = cut
  const began = performance.now()
  await far.isTold('OUTCOME_UNKNOWN')
  const tookMs = Math.round(performance.now() - began)
  // Twice of each, and more: machines that test are busy.
  assert.ok(tookMs < 3 * (SILENCE_MS_MAX + RESUME_MS), `writes took ${tookMs} ms to settle`)
  assert.equal(far.acknowledged.length, said)
  namespace.plug()
  await far.gives()
  assertRefused(far, 'OUTCOME_UNKNOWN', 'POISONED', 'FENCED')
  assert.equal(far.acknowledged.length, said)
  await near.acknowledges(100)
  context.diagnostic(`writes settled after ${tookMs} ms; ${await cluster.check()} writes acknowledged, none lost`)
})
