import assert from 'node:assert/strict'
import { test } from 'node:test'
import { equalBytes } from '../../kernel/bytes.ts'
import { VarveError, isCode } from '../../kernel/errors.ts'
import { loadHash } from '../../kernel/hash.ts'
import { fileName, shardId } from '../../kernel/ids.ts'
import type { FileName } from '../../kernel/ids.ts'
import { KIB } from '../../kernel/limits.ts'
import { Access } from '../../rpc/access.ts'
import { RpcClient } from '../../rpc/client.ts'
import { dialLoopback } from '../../rpc/loopback.ts'
import type { Dial, Wire } from '../../rpc/rpc.ts'
import type { RpcSettings } from '../../rpc/settings.ts'
import { RpcServer } from '../../rpc/server.ts'
import { dialSocket, listenSocket } from '../../rpc/socket-transport.ts'
import { faultyDial } from '../../testing/faulty-wire.ts'
import { putFile } from '../../testing/file-model.ts'
import { testFileStore } from '../../testing/file-store-conformance.ts'
import { testHeadStore } from '../../testing/head-store-conformance.ts'
import { SeededRandom } from '../../testing/seeded-random.ts'
import { SimulatedClock } from '../../testing/simulated-clock.ts'
import { SimulatedDevice } from '../../testing/simulated-device.ts'
import type { FileStore, HeadStore } from '../fs.ts'
import { LocalFileStore } from '../local-file-store.ts'
import { LocalHeadStore } from '../local-head-store.ts'
import { MemoryFileStore } from '../memory-file-store.ts'
import { MemoryHeadStore } from '../memory-head-store.ts'
import { FileService } from './file-service.ts'
import { HeadService } from './head-service.ts'
import { RemoteFileStore } from './remote-file-store.ts'
import { RemoteHeadStore } from './remote-head-store.ts'

const hash = await loadHash()
const random = new SeededRandom(1)

/** A server with stores of its own, and clients of it that are closed with it. */
class Place {
  readonly clock = new SimulatedClock()
  readonly #files: FileStore
  readonly #heads: HeadStore
  readonly #access: Access
  #services: readonly [FileService, HeadService]
  #server: RpcServer
  readonly #clients: RpcClient[] = []
  #dial: Dial = (signal) => dialLoopback(this.#server)(signal)
  #stopListening: () => Promise<void> = () => Promise.resolve()

  constructor(files: FileStore, heads: HeadStore, access = new Access()) {
    this.#files = files
    this.#heads = heads
    this.#access = access
    this.#services = this.#serve()
    this.#server = this.#listen()
  }

  /** The services end as in a crash, and others begin over the same stores. */
  async restart(): Promise<void> {
    const former = [this.#server, ...this.#services]
    this.#services = this.#serve()
    this.#server = this.#listen()
    for (const each of former) await each.close()
  }

  #serve(): readonly [FileService, HeadService] {
    const { clock } = this
    return [new FileService({ files: this.#files, hash, clock }), new HeadService({ heads: this.#heads, clock })]
  }

  #listen(): RpcServer {
    return new RpcServer({ services: this.#services, clock: this.clock, hash, access: this.#access })
  }

  async listen(): Promise<this> {
    const listening = await listenSocket('tcp://127.0.0.1:0', this.#server)
    this.#stopListening = () => listening.close()
    this.#dial = dialSocket(listening.address)
    return this
  }

  client(options: { token?: string; around?: (dial: Dial) => Dial; settings?: Partial<RpcSettings> } = {}): RpcClient {
    const { around = (dial) => dial, ...rest } = options
    const client = new RpcClient({ ...rest, dial: around(this.#dial), clock: this.clock, hash, random })
    this.#clients.push(client)
    return client
  }

  /** The dead close nothing, but their sockets go; nobody waits for them. */
  abandon(): void {
    const closing = [...this.#clients, this.#server].map((each) => each.close())
    void Promise.allSettled([...closing, this.#stopListening()])
  }

  async dispose(): Promise<void> {
    for (const client of this.#clients) await client.close()
    await this.#stopListening()
    for (const each of [this.#server, ...this.#services]) await each.close()
  }
}

/** Everything a network can do. */
const FAULTS = {
  dropsOnceIn: 80,
  repeatsOnceIn: 80,
  swapsOnceIn: 80,
  damagesOnceIn: 80,
  cutsOnceIn: 40,
  delayTurnsMax: 1,
} as const

// Notices soon what was dropped, and comes back however often that takes.
const PATIENT = { heartbeatMs: 200, silenceMsMax: 600, handshakeMs: 500, callMs: 3_600_000 }

type Transport = 'loopback' | 'TCP' | 'a network that fails'

/** What a conformance suite opens: a place on a device that the power may be cut of, and clients of it. */
function host<Store>(
  transport: Transport,
  start: (device: SimulatedDevice) => Promise<Place>,
  connect: (client: RpcClient) => Store,
): { open: () => Promise<Store>; powerCut: () => void; dispose: () => Promise<void> } {
  let device = new SimulatedDevice()
  const opened: Place[] = []
  const times: { stop(): void }[] = []
  const chance = new SeededRandom(1)
  let place: Promise<Place> | undefined
  const begin = async (): Promise<Place> => {
    const begun = await start(device)
    opened.push(begun)
    // Whoever waits for what was dropped waits for time to pass.
    if (transport === 'a network that fails') times.push(passTime(begun.clock))
    return transport === 'TCP' ? begun.listen() : begun
  }
  return {
    open: async () => {
      place ??= begin()
      const { clock } = await place
      const around = (dial: Dial): Dial =>
        transport === 'a network that fails' ? faultyDial(dial, { random: chance, clock, faults: FAULTS }) : dial
      return connect((await place).client({ around, settings: PATIENT }))
    },
    powerCut: () => {
      device = device.crash({ data: 'none', names: 'none' }, 1)
      place = undefined
      for (const each of opened) each.abandon()
      opened.length = 0
    },
    dispose: async () => {
      for (const each of opened) await each.dispose()
      for (const time of times) time.stop()
    },
  }
}

for (const transport of ['loopback', 'TCP', 'a network that fails'] as const) {
  testFileStore({
    test,
    name: `files elsewhere, by ${transport}`,
    hash,
    open: () =>
      Promise.resolve(
        host(
          transport,
          async (device) =>
            new Place(await LocalFileStore.open({ device, directory: 'files', hash }), new MemoryHeadStore()),
          (client) => new RemoteFileStore({ client }),
        ),
      ),
  })

  testHeadStore({
    test,
    name: `heads elsewhere, by ${transport}`,
    open: () =>
      Promise.resolve(
        host(
          transport,
          async (device) =>
            new Place(
              new MemoryFileStore({ hash }),
              await LocalHeadStore.open({ device, directory: 'heads', hash, random }),
            ),
          (client) => new RemoteHeadStore({ client }),
        ),
      ),
  })
}

test('over a network that fails to a service that is started anew, a file is whole or its writer says that it is not known to be', async (context) => {
  const outcomes = { finished: 0, failed: 0, unknown: 0 }
  for (let seed = 1; seed <= 6; seed++) {
    const chance = new SeededRandom(seed)
    const inner = new MemoryFileStore({ hash })
    const place = new Place(inner, new MemoryHeadStore())
    const faults = { dropsOnceIn: 60, repeatsOnceIn: 60, swapsOnceIn: 60, damagesOnceIn: 60, cutsOnceIn: 20 }
    const around = (dial: Dial): Dial => faultyDial(dial, { random: chance, clock: place.clock, faults })
    const store = new RemoteFileStore({ client: place.client({ around }) })
    const time = passTime(place.clock)
    for (let index = 0; index < 12; index++) {
      const content = new Uint8Array(Buffer.alloc(chance.below(800 * KIB), `${seed} ${index}`))
      const name = fileName(`shard.e1-j${index}-a1-0.table`)
      try {
        const putting = putFile(store, name, content)
        putting.catch(() => undefined)
        if (chance.once(2)) {
          for (let turns = chance.below(30); turns > 0; turns--) await place.clock.turn()
          await place.restart()
        }
        const ref = await putting
        outcomes.finished++
        const read = await (await store.open(ref)).read(0, ref.bytes)
        assert.ok(equalBytes(read, content), 'a finished file has what was written')
      } catch (error) {
        assert.ok(error instanceof VarveError, String(error))
        assert.ok(isCode(error, 'IO_FAILED', 'OUTCOME_UNKNOWN'), error.code)
        const there = (await inner.list(name)).length === 1
        if (isCode(error, 'OUTCOME_UNKNOWN')) outcomes.unknown++
        else {
          outcomes.failed++
          assert.ok(!there, 'what failed is not there')
        }
      }
    }
    await store.close()
    await place.dispose()
    time.stop()
  }
  assert.ok(outcomes.finished > 0 && outcomes.failed > 0, JSON.stringify(outcomes))
  context.diagnostic(JSON.stringify(outcomes))
})

test('over a network that fails to a service that is started anew, a head is changed once or its writer reads what has become of it', async () => {
  let unknown = 0
  for (let seed = 1; seed <= 15; seed++) {
    const chance = new SeededRandom(seed)
    const inner = new MemoryHeadStore()
    const place = new Place(new MemoryFileStore({ hash }), inner)
    const around = (dial: Dial): Dial =>
      faultyDial(dial, { random: chance, clock: place.clock, faults: { cutsOnceIn: 8, dropsOnceIn: 40 } })
    const heads = new RemoteHeadStore({ client: place.client({ around }) })
    const time = passTime(place.clock)
    const shard = shardId('main')
    let head = await heads.read(shard)
    for (let round = 0; round < 40; round++) {
      const content = Uint8Array.of(round)
      try {
        const changing = heads.compareAndSet(shard, head?.version, content)
        changing.catch(() => undefined)
        if (chance.once(4)) {
          for (let turns = chance.below(6); turns > 0; turns--) await place.clock.turn()
          await place.restart()
        }
        const version = await changing
        head = { version, content }
      } catch (error) {
        assert.ok(isCode(error, 'OUTCOME_UNKNOWN', 'IO_FAILED'), String(error))
        if (isCode(error, 'OUTCOME_UNKNOWN')) unknown++
        const found = await heads.read(shard)
        assert.ok(
          found === undefined ? head === undefined : found.content[0] === round || found.version === head?.version,
          'it is what it was, or what it was to be',
        )
        head = found
      }
      const really = await inner.read(shard)
      assert.equal(really?.version, head?.version, 'the writer knows what is there')
    }
    await place.dispose()
    time.stop()
  }
  assert.ok(unknown > 0, 'no outcome was unknown')
})

test('who may work on jobs reads and creates, and removes nothing; who has one shard sees no other', async () => {
  const files = new MemoryFileStore({ hash })
  const access = new Access([
    { name: 'worker', token: 'the token of a worker', roles: ['worker'] },
    { name: 'owner of a', token: 'the token of a’s owner', roles: ['files', 'heads'], shards: ['a'] },
  ])
  const place = new Place(files, new MemoryHeadStore(), access)
  const of = (token: string): RemoteFileStore => new RemoteFileStore({ client: place.client({ token }) })
  const worker = of('the token of a worker')
  const owner = of('the token of a’s owner')
  const ref = await putFile(worker, fileName('a.e1-j1-a1-0.table'), Uint8Array.of(1))
  const other = await putFile(worker, fileName('b.e1-j1-a1-0.table'), Uint8Array.of(1))
  assert.equal((await (await worker.open(other)).read(0, 1))[0], 1)
  await assert.rejects(worker.remove([ref.name]), { code: 'PERMISSION_DENIED' })
  assert.deepEqual(await owner.list(), [{ name: ref.name, bytes: 1 }])
  for (const call of [
    () => owner.open(other),
    () => owner.create(fileName('b.x')),
    () => owner.remove([ref.name, other.name]),
    () => new RemoteHeadStore({ client: place.client({ token: 'the token of a worker' }) }).read(shardId('a')),
    () => new RemoteHeadStore({ client: place.client({ token: 'the token of a’s owner' }) }).read(shardId('b')),
  ]) {
    await assert.rejects(call, { code: 'PERMISSION_DENIED' })
  }
  await owner.remove([ref.name])
  assert.equal((await files.list()).length, 1)
  await place.dispose()
})

test('a file that is written and read over connections that are cut is written once and read on, removed or not', async () => {
  const files = new MemoryFileStore({ hash })
  const place = new Place(files, new MemoryHeadStore())
  const wires: Wire[] = []
  const around =
    (dial: Dial): Dial =>
    async (signal) => {
      const wire = await dial(signal)
      wires.push(wire)
      return wire
    }
  const store = new RemoteFileStore({ client: place.client({ around }) })
  const time = passTime(place.clock)
  const cut = (): void => wires.at(-1)?.destroy()
  const writer = await store.create(fileName('a.x'))
  for (let piece = 0; piece < 8; piece++) {
    const writing = writer.write(new Uint8Array(1000).fill(piece))
    if (piece % 2 === 0) await place.clock.turn()
    cut()
    await writing
  }
  const finishing = writer.finish()
  await place.clock.turn()
  cut()
  const ref = await finishing
  const reader = await store.open(ref)
  await store.remove([ref.name])
  cut()
  for (let piece = 0; piece < 8; piece++) assert.equal((await reader.read(1000 * piece, 1))[0], piece)
  assert.ok(wires.length > 4)
  await store.close()
  await place.dispose()
  time.stop()
})

test('what a client has left open ends when it does not come back', async () => {
  const device = new SimulatedDevice()
  const files = await LocalFileStore.open({ device, directory: 'files', hash })
  const place = new Place(files, new MemoryHeadStore())
  const client = place.client()
  const store = new RemoteFileStore({ client })
  const writer = await store.create(fileName('a.x'))
  await writer.write(new Uint8Array(1000))
  await client.close()
  await place.clock.turn()
  await assert.rejects(files.create(fileName('a.x')), { code: 'EXISTS' })
  place.clock.advance(60_001)
  for (let turns = 0; turns < 10; turns++) await place.clock.turn()
  await putFile(files, fileName('a.x'), Uint8Array.of(1))
  await assert.rejects(writer.finish(), { code: 'CLOSED' })
  await place.dispose()
})

/** Time goes by, a little in every turn. */
function passTime(clock: SimulatedClock): { stop(): void } {
  let stopped = false
  void (async () => {
    while (!stopped) {
      await clock.turn()
      clock.advance(20)
    }
  })()
  return { stop: () => (stopped = true) }
}

test('a file that is not what was sent, though as long, is not taken for finished', async () => {
  const inner = new MemoryFileStore({ hash })
  const files = Object.assign(Object.create(inner) as FileStore, {
    create: async (name: FileName) => {
      const writer = await inner.create(name)
      const write = writer.write.bind(writer)
      return Object.assign(writer, { write: (bytes: Uint8Array) => write(bytes.map((byte) => byte ^ 1)) })
    },
  })
  const place = new Place(files, new MemoryHeadStore())
  const store = new RemoteFileStore({ client: place.client() })
  const writer = await store.create(fileName('s.e1-j1-a1-1.table'))
  await writer.write(Uint8Array.of(1, 2, 3))
  await assert.rejects(writer.finish(), { code: 'IO_FAILED' })
  await store.close()
  await place.dispose()
})
