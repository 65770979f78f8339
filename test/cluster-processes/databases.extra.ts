/**
 * Hosts of a shard whose journal and head are in PostgreSQL, or on NATS, as processes that write: the servers are killed, stand
 * still and start anew, hosts are stopped and replaced. What is told is as the tables in docs/remote.md say.
 */

import assert from 'node:assert/strict'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import { NatsServers, whyNoNats } from '../../tools/servers/nats-servers.ts'
import { PostgresServer } from '../../tools/servers/postgres.ts'
import { valueOf } from '../kill/batches.ts'
import { keyOf } from './keys.ts'
import { Host, Service } from './process-group.ts'
import { RESUME_MS, SILENCE_MS_MAX, openElsewhere } from './shard-elsewhere.ts'
import type { ShardPlaces } from './shard-elsewhere.ts'
import { assertRefused, sleepsThroughTakeOver } from './take-over.ts'

/** Servers that others make, with journal and head. */
interface Servers {
  readonly address: string
  /** Kills all of them. */
  kill(): Promise<void>
  start(): Promise<void>
  asleep(work: () => Promise<void>): Promise<void>
  stop(): Promise<void>
}

interface Kind {
  readonly name: string
  /** @returns the reason, where there are none to be had */
  start(): Promise<Servers | string>
}

const KINDS: readonly Kind[] = [
  {
    name: 'in PostgreSQL',
    start: async () => {
      const server = await PostgresServer.start()
      if (typeof server === 'string') return server
      return {
        address: server.url,
        kill: () => server.crash(),
        start: () => server.restart(),
        asleep: (work) => server.asleep(work),
        stop: () => server.stop(),
      }
    },
  },
  {
    name: 'on three servers of NATS',
    start: async () => {
      const reason = whyNoNats()
      if (reason !== undefined) return reason
      const servers = await NatsServers.start(3)
      return {
        address: `nats:${servers.addresses.join(',')}`,
        kill: async () => void (await Promise.all([0, 1, 2].map((index) => servers.kill(index)))),
        start: () => {
          for (const index of [0, 1, 2]) servers.run(index)
          return servers.ready()
        },
        asleep: (work) => servers.asleep(work),
        stop: () => servers.stop(),
      }
    },
  },
]

// Machines that test are busy.
const SETTLED_MS_MAX = 3 * (2 * SILENCE_MS_MAX + RESUME_MS)

class Place {
  readonly servers: Servers
  readonly #files: Service
  readonly #hosts: Host[] = []

  private constructor(servers: Servers, files: Service) {
    this.servers = servers
    this.#files = files
  }

  static async start(context: TestContext, kind: Kind): Promise<Place | undefined> {
    const servers = await kind.start()
    if (typeof servers === 'string') {
      context.skip(servers)
      return undefined
    }
    const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'varve-databases-'))
    const files = new Service((at) => [
      'serve',
      '--files',
      path.join(directory, 'files'),
      '--jobs',
      '1',
      '--listen',
      at,
    ])
    const place = new Place(servers, files)
    context.after(async () => {
      for (const host of place.#hosts) await host.kill()
      await files.process.kill()
      await servers.stop()
      fs.rmSync(directory, { recursive: true, force: true })
    })
    await files.start()
    return place
  }

  async host(name: string, untilFenced = false): Promise<Host> {
    const host = new Host({ name, untilFenced, ...this.#places })
    this.#hosts.push(host)
    await host.opens()
    return host
  }

  /** Everything that any host was told of is there. @returns how many writes that are */
  async check(): Promise<number> {
    for (const host of this.#hosts) await host.kill()
    const db = await openElsewhere(this.#places)
    let count = 0
    try {
      for (const { name, acknowledged } of this.#hosts) {
        for (const number of acknowledged) {
          count++
          assert.deepEqual(await db.get(keyOf(name, number)), valueOf(number), `${name} ${number} is lost`)
        }
      }
      for await (const { damage } of db.verify()) assert.equal(damage, undefined)
    } finally {
      await db.close()
    }
    return count
  }

  get #places(): ShardPlaces {
    return { files: this.#files.address, journal: this.servers.address }
  }
}

function always<T>(value: T): () => T {
  return () => value
}

for (const kind of KINDS) {
  test(`${kind.name}: servers that are killed and stand still for less than a host waits cost time, and zombies are refused`, async (context) => {
    const place = await Place.start(context, kind)
    if (place === undefined) return
    const { servers } = place
    const first = await place.host('first')
    await first.acknowledges(200)
    await servers.kill()
    await servers.start()
    // Where it was told that nobody knows, because an election took longer than it waits, another one goes on.
    const goesOn = await Promise.race([
      first.acknowledges(200).then(always(true), always(false)),
      first.gives().then(always(false), always(false)),
    ])
    if (!goesOn) assertRefused(first, 'OUTCOME_UNKNOWN', 'POISONED')
    const second = goesOn ? first : await place.host('second')
    await second.acknowledges(200)
    await servers.asleep(() => sleep(SILENCE_MS_MAX))
    await second.acknowledges(100)
    await sleepsThroughTakeOver(second, () => place.host('third'))
    context.diagnostic(`${await place.check()} writes acknowledged, none lost`)
  })

  for (const silent of [false, true]) {
    const gone = silent ? 'stand still' : 'are dead'
    test(`${kind.name}: where servers ${gone} for longer than that, writes settle in time, and a host that was replaced is told so`, async (context) => {
      const place = await Place.start(context, kind)
      if (place === undefined) return
      const { servers } = place
      const first = await place.host('first', true)
      await first.acknowledges(200)
      let isUnknown = true
      const settles = async (): Promise<void> => {
        const began = performance.now()
        // Where it had sent nothing at that moment, nothing was appended, and it may go on: also where its writes were held
        // back, for a flush or a merge whose commit does not reach the head.
        isUnknown = (await first.hears('OUTCOME_UNKNOWN', 'IO_FAILED', 'BUSY')) === 'OUTCOME_UNKNOWN'
        const tookMs = Math.round(performance.now() - began)
        context.diagnostic(`writes settled after ${tookMs} ms`)
        assert.ok(tookMs < SETTLED_MS_MAX, `writes took ${tookMs} ms to settle`)
        if (isUnknown) await first.isTold('POISONED')
      }
      if (silent) await servers.asleep(settles)
      else {
        await servers.kill()
        await settles()
        await servers.start()
      }
      const said = first.acknowledged.length
      const second = await place.host('second')
      await second.acknowledges(100)
      await first.gives()
      assertRefused(first, 'FENCED', ...(isUnknown ? ['OUTCOME_UNKNOWN', 'POISONED'] : []))
      if (isUnknown) assert.equal(first.acknowledged.length, said)
      await second.acknowledges(100)
      context.diagnostic(`${await place.check()} writes acknowledged, none lost`)
    })
  }
}
