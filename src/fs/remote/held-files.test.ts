/** What a file service holds open for its clients, and what it lets go. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { VarveError } from '../../kernel/errors.ts'
import { loadHash } from '../../kernel/hash.ts'
import { fileName } from '../../kernel/ids.ts'
import { MIB } from '../../kernel/limits.ts'
import { RpcClient } from '../../rpc/client.ts'
import { dialLoopback } from '../../rpc/loopback.ts'
import type { RpcRequest, Wire } from '../../rpc/rpc.ts'
import { RpcServer } from '../../rpc/server.ts'
import { putFile } from '../../testing/file-model.ts'
import { SeededRandom } from '../../testing/seeded-random.ts'
import { SimulatedClock } from '../../testing/simulated-clock.ts'
import { InterceptedFileStore } from '../intercepted-file-store.ts'
import { MemoryFileStore } from '../memory-file-store.ts'
import type { StoreCall } from '../store-call.ts'
import { FileService } from './file-service.ts'
import { RemoteFileStore } from './remote-file-store.ts'

const hash = await loadHash()
const NAME = fileName('s.e1-j1-a1-1.table')

/** A service over a store whose calls are noted, and a client of it. */
class Bench {
  readonly clock = new SimulatedClock()
  readonly inner = new MemoryFileStore({ hash })
  readonly calls: string[] = []
  before: (call: StoreCall) => void = () => undefined
  readonly service: FileService
  readonly store: RemoteFileStore
  readonly #client: RpcClient
  #wire: Wire | undefined

  constructor() {
    const files = new InterceptedFileStore(this.inner, {
      run: async (call, proceed) => {
        this.before(call)
        this.calls.push(call.operation)
        return proceed()
      },
      runSync: (_call, proceed) => proceed(),
    })
    const { clock } = this
    this.service = new FileService({ files, hash, clock })
    const inner = dialLoopback(new RpcServer({ services: [this.service], clock, hash }))
    const dial: typeof inner = async (signal) => (this.#wire = await inner(signal))
    this.#client = new RpcClient({ dial, clock, hash, random: new SeededRandom(1) })
    this.store = new RemoteFileStore({ client: this.#client })
  }

  cut(): void {
    this.#wire?.destroy()
  }

  /** Lets a second pass in which everybody hears what is said. */
  async second(): Promise<void> {
    for (let passed = 0; passed < 1_000; passed += 50) {
      for (let turn = 0; turn < 5; turn++) await this.clock.turn()
      this.clock.advance(50)
    }
  }

  /** @returns asks the service past the client */
  session(): (method: string, ...parameters: readonly unknown[]) => Promise<unknown> {
    const session = this.service.openSession({ grant: { name: 'a', roles: ['files'], shards: undefined }, address: '' })
    const { signal } = new AbortController()
    return async (method, ...parameters) => {
      const request: RpcRequest = { method, parameters, body: new Uint8Array(0), signal }
      return session.call(request)
    }
  }

  async close(): Promise<void> {
    await this.store.close()
    await this.#client.close()
    await this.service.close()
  }
}

test('a service keeps nothing of a file that was finished, read and closed, or compared', async () => {
  const bench = new Bench()
  const ref = await putFile(bench.store, NAME, new Uint8Array(100))
  await bench.second()
  assert.deepEqual(bench.calls.splice(0), ['create', 'write', 'finish', 'abort'])
  const reader = await bench.store.open(ref)
  await reader.read(0, 10)
  await reader.close()
  assert.deepEqual(bench.calls.splice(0), ['open', 'read', 'closeReader'])
  await bench.session()('digest', ref.name, ref.bytes, ref.checksum)
  assert.deepEqual(bench.calls, ['open', 'read', 'closeReader'])
  await bench.close()
})

test('a reader that could not be opened again where its connection was lost is opened by the next read', async () => {
  const bench = new Bench()
  const ref = await putFile(bench.store, NAME, Uint8Array.of(1, 2, 3))
  const reader = await bench.store.open(ref)
  bench.cut()
  for (let second = 0; second < 61; second++) await bench.second()
  bench.before = ({ operation }) => {
    if (operation === 'open') throw new VarveError('OUT_OF_FILES', 'there are too many')
  }
  const failed = assert.rejects(reader.read(0, 3), { code: 'OUT_OF_FILES' })
  await bench.second()
  await failed
  bench.before = () => undefined
  assert.deepEqual(await reader.read(0, 3), Uint8Array.of(1, 2, 3))
  await bench.close()
})

test('a file of the same name and length that another has written is not taken for the one that was sent', async () => {
  const bench = new Bench()
  const writer = await bench.store.create(NAME)
  await writer.write(Uint8Array.of(1, 2, 3))
  // The answer is lost, and with the service what it knew of the writer: the file that is there is another one.
  bench.before = ({ operation }) => {
    if (operation !== 'finish') return
    bench.before = () => undefined
    bench.cut()
    void bench.service.close()
    void putFile(bench.inner, NAME, Uint8Array.of(3, 2, 1)).catch(() => undefined)
    throw new VarveError('IO_FAILED', 'the service has gone')
  }
  const failed = assert.rejects(writer.finish(), { code: 'OUTCOME_UNKNOWN' })
  for (let second = 0; second < 5; second++) await bench.second()
  await failed
  await bench.close()
})

test('a peer holds so many files open and not more, under names of its own, and reads no more at once than is answered', async () => {
  const bench = new Bench()
  const ref = await putFile(bench.inner, NAME, new Uint8Array(100))
  const ask = bench.session()
  const open = (key: string): Promise<unknown> => ask('open', key, ref.name, ref.bytes, ref.checksum, 'point')
  await assert.rejects(open('another/1'), TypeError)
  await assert.rejects(open(`${NAME}/${'1'.repeat(256)}`), TypeError)
  for (let count = 0; count < 8_192; count++) await open(`${NAME}/${count}`)
  await assert.rejects(open(`${NAME}/more`), { code: 'OUT_OF_FILES' })
  await assert.rejects(ask('create', `${NAME}/more`, NAME), { code: 'OUT_OF_FILES' })
  await ask('close', `${NAME}/7`)
  await open(`${NAME}/more`)
  await assert.rejects(ask('read', `${NAME}/0`, 0, MIB + 1), RangeError)
  await bench.close()
})
