/** A cluster of real processes under load, each of which is killed and stopped in turn, and one of which is cut off. */

import assert from 'node:assert/strict'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import { open } from '../../src/local.ts'
import { SETTINGS, valueOf } from '../kill/batches.ts'
import { keyOf } from './keys.ts'
import { NetworkNamespace } from './network-namespace.ts'
import { Host, Service } from './process-group.ts'

const TOKEN = 'a token for tests of processes'

class Cluster {
  readonly journal: Service
  readonly files: Service
  readonly workers: readonly Service[]
  readonly #directory = fs.mkdtempSync(path.join(os.tmpdir(), 'varve-cluster-'))
  readonly #hosts: Host[] = []

  /** @param also an address of this machine that the services listen on as well */
  constructor(context: TestContext, also?: string) {
    const at = (name: string): string => path.join(this.#directory, name)
    fs.writeFileSync(at('tokens.json'), JSON.stringify([{ name: 'all', token: TOKEN }]))
    fs.writeFileSync(at('token'), TOKEN)
    const listen = (address: string): string[] => [
      '--listen',
      also === undefined ? address : address.replace('127.0.0.1', also),
      '--tokens',
      at('tokens.json'),
    ]
    // One directory, in the layout of an embedded database, so that the checker can open it.
    this.journal = new Service((address) => ['serve', '--journal', at('journal'), '--per-shard', ...listen(address)])
    this.files = new Service((address) => ['serve', '--files', at('files'), '--jobs', '0', ...listen(address)])
    const work = (): readonly string[] => ['work', '--jobs-at', this.files.address, '--token', at('token')]
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

  async host(name: string, prefix?: readonly string[]): Promise<Host> {
    const places = { files: this.files.address, journal: this.journal.address, token: TOKEN }
    const host = new Host(name, places, prefix)
    this.#hosts.push(host)
    await host.opens()
    return host
  }

  /** Everything that any host was told of is there. Ends the services. @returns how many writes that are */
  async check(): Promise<number> {
    for (const host of this.#hosts) await host.kill()
    for (const each of [...this.workers, this.files, this.journal]) await each.process.kill()
    // Files, heads and journal under one roof again.
    const [from, to] = [path.join(this.#directory, 'journal'), path.join(this.#directory, 'files')]
    fs.rmSync(path.join(from, 'lock'), { force: true })
    fs.renameSync(path.join(from, 'journal'), path.join(to, 'journal'))
    const db = await open(to, { jobs: 'inline', settings: SETTINGS })
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
}

/** It was told that the shard is not its own, or that it cannot know. */
function assertRefused(host: Host): void {
  assert.ok(host.refusals.size > 0, `${host.name} was not refused`)
  for (const code of host.refusals) assert.ok(['FENCED', 'OUTCOME_UNKNOWN', 'POISONED'].includes(code), code)
}

test('services, workers and hosts that are killed and stopped in turn lose nothing, and zombies are refused', async (context) => {
  const cluster = new Cluster(context)
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
  // The journal does not know its writers after it was started anew: they have to be opened again.
  await cluster.journal.restart()
  await first.gives()
  assertRefused(first)
  const second = await cluster.host('second')
  await second.acknowledges(100)
  second.signal('SIGSTOP')
  const third = await cluster.host('third')
  await third.acknowledges(100)
  const said = second.acknowledged.length
  second.signal('SIGCONT')
  await second.gives()
  assertRefused(second)
  // What it had been told, and not said, when it fell asleep: four calls at a time.
  assert.ok(second.acknowledged.length <= said + 4, 'a zombie was acknowledged')
  await third.acknowledges(100)
  await third.kill()
  const fourth = await cluster.host('fourth')
  await fourth.acknowledges(100)
  context.diagnostic(`${await cluster.check()} writes acknowledged, none lost`)
})

test('a host that is cut off by a pulled cable is replaced, and refused when it is back', async (context) => {
  const namespace = NetworkNamespace.make()
  if (typeof namespace === 'string') {
    context.skip(namespace)
    return
  }
  context.after(() => namespace.remove())
  const cluster = new Cluster(context, namespace.address)
  await cluster.start()
  const far = await cluster.host('far', namespace.prefix)
  await far.acknowledges(100)
  namespace.pull()
  const near = await cluster.host('near')
  await near.acknowledges(100)
  const said = far.acknowledged.length
  namespace.plug()
  await far.gives()
  assertRefused(far)
  assert.ok(far.acknowledged.length <= said + 4, 'a zombie was acknowledged')
  await near.acknowledges(100)
  context.diagnostic(`${await cluster.check()} writes acknowledged, none lost`)
})
