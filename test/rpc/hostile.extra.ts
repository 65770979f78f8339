/**
 * A thousand connections that never authenticate: what they cost a server, and an honest client of it.
 *
 * Two servers, of which one is attacked; the honest client calls them in turn, so that whatever else the machine does
 * slows both alike.
 */

import assert from 'node:assert/strict'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import net from 'node:net'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { RemoteHeadStore } from '../../src/fs/remote/remote-head-store.ts'
import { loadHash } from '../../src/kernel/hash.ts'
import { shardId } from '../../src/kernel/ids.ts'
import { KIB } from '../../src/kernel/limits.ts'
import { RpcClient } from '../../src/rpc/client.ts'
import { encodeHeader, frameSeed } from '../../src/rpc/frame.ts'
import { dialSocket } from '../../src/rpc/socket-transport.ts'
import { SystemClock } from '../../src/system-clock.ts'
import { SystemRandom } from '../../src/system-random.ts'
import { Workplace, start } from '../cli/varve-process.ts'

const CONNECTIONS = 1000
// More of them where another program slowed one server in the midst of its calls, and not the other.
const [ROUNDS, ROUNDS_MAX] = [5, 25]
const SLOWDOWN_MAX = 2
const TOKEN = 'the token of an honest client'
const NOTHING = new Uint8Array(0)

const hash = await loadHash()
const clock = new SystemClock()
const random = new SystemRandom()

/** What a stranger says, and then says no more. */
const OPENINGS: readonly Uint8Array[] = [
  NOTHING,
  Uint8Array.of(1, 2, 3),
  // A frame as long as a stranger's may be, but for its last byte.
  Buffer.concat([
    encodeHeader(
      { kind: 'hello', call: 0, more: false, control: new Uint8Array(4 * KIB), body: NOTHING },
      frameSeed('toServer', 0),
      hash,
    ),
    new Uint8Array(4 * KIB - 1),
  ]),
  // Heartbeats, as many as would fit.
  Buffer.concat(
    Array.from({ length: 2_700 }, (_, sequence) =>
      encodeHeader(
        { kind: 'ping', call: 0, more: false, control: NOTHING, body: NOTHING },
        frameSeed('toServer', sequence),
        hash,
      ),
    ),
  ),
]

test(
  'a thousand strangers cost at most 64 KiB each and leave an honest client’s p99 within twice what it was',
  { skip: existsSync('/proc/self/status') ? false : 'memory of another process is read from /proc' },
  async (context) => {
    const work = new Workplace(context)
    writeFileSync(work.in('tokens.json'), JSON.stringify([{ name: 'honest', token: TOKEN }]))
    const servers = await Promise.all(
      ['attacked', 'spared'].map(async (name) => {
        const words = ['--files', name, '--listen', 'tcp://127.0.0.1:0', '--tokens', 'tokens.json']
        const process = start(['serve', ...words], { cwd: work.path })
        context.after(() => process.signal('SIGKILL'))
        const address = /listening on (\S+):/.exec(await process.prints('listening on '))?.[1] ?? ''
        const client = new RpcClient({ dial: dialSocket(address), token: TOKEN, clock, hash, random })
        context.after(() => client.close())
        const heads = new RemoteHeadStore({ client })
        return { process, address, heads, call: () => heads.read(shardId('none')) }
      }),
    )
    const [attacked, spared] = servers as [(typeof servers)[number], (typeof servers)[number]]
    for (let warm = 0; warm < 2_000; warm++) for (const { call } of servers) await call()

    const ratios: number[] = []
    const bytesEach: number[] = []
    let calls = 0
    const isTold = (): boolean => ratios.length >= ROUNDS && middleOf(ratios) <= SLOWDOWN_MAX
    for (let round = 0; round < ROUNDS_MAX && !isTold(); round++) {
      const before = residentBytes(attacked.process.pid)
      const strangers: net.Socket[] = []
      // Not all at once: the system would drop some, and they would try again seconds later.
      while (strangers.length < CONNECTIONS)
        strangers.push(
          ...(await Promise.all(Array.from({ length: 100 }, (_, index) => stranger(attacked.address, index)))),
        )
      await sleep(300)
      if (strangers.filter(({ destroyed }) => destroyed).length > CONNECTIONS * 0.3) {
        // They came so slowly that the first have been cut off for taking too long.
        for (const socket of strangers) socket.destroy()
        continue
      }
      bytesEach.push((residentBytes(attacked.process.pid) - before) / CONNECTIONS)
      const times: [number[], number[]] = [[], []]
      // Before they are cut off for taking too long.
      for (const limitMs = performance.now() + 3_000; performance.now() < limitMs && times[0].length < 1_500;) {
        for (const [index, server] of [attacked, spared].entries()) {
          const startMs = performance.now()
          await server.call()
          times[index]?.push(performance.now() - startMs)
        }
      }
      calls += times[0].length
      ratios.push(p99(times[0]) / p99(times[1]))
      for (const socket of strangers) socket.destroy()
      await sleep(100)
    }
    assert.ok(ratios.length >= ROUNDS, `they were there in ${ratios.length} rounds only`)
    const middle = middleOf(ratios)
    const bytesMax = Math.max(...bytesEach)
    context.diagnostic(
      `at most ${Math.round(bytesMax)} bytes each; ${calls} calls, p99 ${ratios.map((ratio) => ratio.toFixed(2)).join(', ')} times`,
    )
    assert.ok(bytesMax <= 64 * KIB, `${bytesMax} bytes for each stranger`)
    assert.ok(middle <= SLOWDOWN_MAX, `an honest p99 was ${middle} times as long`)
  },
)

async function stranger(address: string, index: number): Promise<net.Socket> {
  const { hostname, port } = new URL(address.replace('tcp:', 'http:'))
  const socket = net.connect({ host: hostname, port: Number(port) })
  socket.on('error', () => undefined)
  // A failed test ends all the same.
  socket.unref()
  await new Promise((resolve) => socket.once('connect', resolve))
  const opening = OPENINGS[index % OPENINGS.length] as Uint8Array
  if (opening.length > 0) socket.write(opening)
  socket.resume()
  return socket
}

function residentBytes(pid: number): number {
  return Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) * KIB
}

function middleOf(ratios: readonly number[]): number {
  return ratios.toSorted((a, b) => a - b)[ratios.length >> 1] as number
}

function p99(times: readonly number[]): number {
  return times.toSorted((a, b) => a - b)[Math.floor(times.length * 0.99)] as number
}
