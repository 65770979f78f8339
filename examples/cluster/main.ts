/**
 * A cluster on one machine, and a takeover: `npm run example:cluster`.
 *
 *      this process              file service ◄── worker, worker
 *      load, orchestrator        heads, map, jobs     ▲
 *           │                        ▲                │ files
 *           └──► host, host ─────────┴────────────────┘
 *                     └──► journal service
 *
 * Every box is a process. A host is killed while it is written to; the map gives its shards to the other, which replays
 * their journals. Then the journal service is killed, and started again: it does not know its writers any more, and the
 * host opens its shards again. Options: --seconds N of load before, between and after, --shards N, --keep the directory.
 */

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { SystemClock, SystemRandom } from 'varve'
import { MapStore, assignAll, hashMap, placeShards } from 'varve/cluster'
import { RemoteHeadStore } from 'varve/fs/remote'
import { loadHash, shardId } from 'varve/kernel'
import { RpcClient, dialSocket } from 'varve/rpc'
import { Load } from './load.ts'
import { host, stop, varve } from './servers.ts'
import type { Started } from './servers.ts'

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '3' },
    shards: { type: 'string', default: '4' },
    keep: { type: 'boolean', default: false },
  },
})
const [seconds, shardCount] = [Number(values.seconds), Number(values.shards)]
const directory = mkdtempSync(join(tmpdir(), 'varve-cluster-'))
const [clock, random, hash] = [new SystemClock(), new SystemRandom(), await loadHash()]
const processes: Started[] = []
const started = async (starting: Promise<Started>): Promise<Started> => {
  const one = await starting
  processes.push(one)
  return one
}
const pause = (ms: number): Promise<void> =>
  new Promise((resolve) => void clock.after(ms, resolve, { keepAlive: true }))

const loopback = ['--listen', 'tcp://127.0.0.1:0']
const files = await started(varve(['serve', '--files', join(directory, 'files'), '--jobs', '0', ...loopback]))
const serveJournal = (listen: readonly string[]): Promise<Started> =>
  started(varve(['serve', '--journal', join(directory, 'journal'), ...listen]))
const journal = await serveJournal(loopback)
for (let worker = 0; worker < 2; worker++) await started(varve(['work', '--jobs-at', files.address, '--places', '1']))

const client = new RpcClient({ dial: dialSocket(files.address), clock, random, hash })
const store = new MapStore({ heads: new RemoteHeadStore({ client }), name: shardId('map') })
await store.create(hashMap(Array.from({ length: shardCount }, (_, index) => shardId(`shard-${index}`))))
const hosts: Started[] = []
for (let index = 0; index < 2; index++) hosts.push(await started(host([files.address, journal.address, 'map'])))
for (const one of hosts) one.process.stdout?.pipe(process.stdout)

/** What an orchestrator does, of any kind: it knows who lives, asks who should have what, and writes it down. */
async function place(alive: readonly Started[]): Promise<void> {
  await store.change((map) => {
    const current = new Map(map.entries.map(({ shard, owner }) => [shard as string, owner ?? '']))
    const nodes = alive.map(({ address }) => ({ name: address }))
    const shards = map.entries.map(({ shard }) => ({ shard }))
    return assignAll(map, placeShards({ nodes, shards, current, slack: 1 }))
  })
}

function report(shards: readonly string[]): void {
  for (const shard of shards) console.log(`${shard}: ${Math.round(load.gapMs.get(shard) ?? 0)} ms without a write`)
}

let failed = false
const load = new Load({ store, clock, random, hash })
try {
  await place(hosts)
  console.log(`${processes.length} processes, ${shardCount} shards on ${hosts.length} hosts`)
  load.start()
  await pause(seconds * 1000)
  const [victim, survivor] = hosts as [Started, Started]
  const before = load.acknowledged
  const map = await load.map()
  const moving = map.entries.filter(({ owner }) => owner === victim.address).map(({ shard }) => shard)
  console.log(`${Math.round(before / seconds)} writes a second acknowledged; kill -9 of ${victim.address}`)
  load.gapMs.clear()
  const killedAt = clock.monotonic()
  await stop(victim, 'SIGKILL')
  await place([survivor])
  console.log(`map changed ${Math.round(clock.monotonic() - killedAt)} ms after the kill`)
  await pause(seconds * 1000)
  report(moving)
  const between = load.acknowledged
  console.log('kill -9 of the journal service, which is started again')
  load.gapMs.clear()
  await stop(journal, 'SIGKILL')
  await serveJournal(['--listen', journal.address])
  await pause(seconds * 1000)
  await load.stop()
  report(map.entries.map(({ shard }) => shard))
  const lost = await load.countLost()
  console.log(
    `${load.acknowledged} writes acknowledged, ${between - before} of them after the first kill, ` +
      `${load.acknowledged - between} after the second; ${lost} lost`,
  )
  failed = lost > 0 || between === before || load.acknowledged === between || moving.length === 0
} finally {
  await load.close()
  await client.close()
  for (const one of processes.reverse()) await stop(one, 'SIGKILL')
  if (!values.keep) rmSync(directory, { recursive: true, force: true })
}
process.exitCode = failed ? 1 : 0
