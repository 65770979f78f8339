/** Who opens a database that is not there, or not for them, is told so in a stated time, with its place and the way out. */

import assert from 'node:assert/strict'
import { createServer } from 'node:net'
import type { AddressInfo, Socket } from 'node:net'
import { test } from 'node:test'
import { PostgresHeadStore } from '../../src/fs/postgres/postgres-head-store.ts'
import { PostgresJournalSystem } from '../../src/journal/postgres/postgres-journal-system.ts'
import { VarveError } from '../../src/kernel/errors.ts'
import { loadHash } from '../../src/kernel/hash.ts'
import { PostgresDatabase } from '../../src/postgres/postgres-database.ts'
import { SeededRandom } from '../../src/testing/seeded-random.ts'
import { SimulatedClock } from '../../src/testing/simulated-clock.ts'

const hash = await loadHash()
const AWAY_MS = 10_000
// Nobody waits for it where an answer comes, however busy the machine is.
const PATIENT_MS = 5_000
const IMPATIENT_MS = 40

/** A clock that moves on by itself, by much more than passes. */
class RunningClock extends SimulatedClock {
  #stopped = false

  constructor() {
    super()
    void (async () => {
      while (!this.#stopped) {
        await this.turn()
        this.advance(20)
      }
    })()
  }

  stop(): void {
    this.#stopped = true
  }
}

/** Does what `greet` does with every connection. @returns the failure of an opening, and after how long */
async function openAt(
  greet: ((socket: Socket, clock: SimulatedClock) => void) | undefined,
  open: (database: PostgresDatabase) => Promise<unknown>,
  connectMs = PATIENT_MS,
): Promise<{ error: VarveError; tookMs: number; connections: number; port: number }> {
  const clock = new RunningClock()
  const sockets: Socket[] = []
  const server = createServer((socket) => {
    sockets.push(socket)
    socket.on('error', () => undefined)
    greet?.(socket, clock)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  if (greet === undefined) server.close()
  const address = { connectionString: `postgres://varve@127.0.0.1:${port}/store` }
  const database = new PostgresDatabase({ address, clock, settings: { connectMs } })
  const failure: unknown = await open(database).then(
    () => undefined,
    (error: unknown) => error,
  )
  const tookMs = clock.monotonic()
  await database.close()
  clock.stop()
  for (const socket of sockets) socket.destroy()
  server.close()
  assert.ok(failure instanceof VarveError, String(failure))
  return { error: failure, tookMs, connections: sockets.length, port }
}

const OPENINGS = [
  (database: PostgresDatabase) => PostgresJournalSystem.connect({ database, hash, random: new SeededRandom(1) }),
  (database: PostgresDatabase) => PostgresHeadStore.open({ database, hash, random: new SeededRandom(1) }),
]

/** A message of the server's: a letter, a length, and text that ends with zeros. */
function message(type: string, ...parts: readonly (string | number)[]): Buffer {
  const body = Buffer.concat(
    parts.map((part) => (typeof part === 'string' ? Buffer.from(`${part}\0`) : Buffer.from([0, 0, 0, part]))),
  )
  const head = Buffer.alloc(5)
  head.write(type)
  head.writeUInt32BE(body.length + 4, 1)
  return Buffer.concat([head, body])
}

/** One after the other, to whatever it is sent; then nothing. */
const answering =
  (...messages: readonly Buffer[]) =>
  (socket: Socket): void => {
    const left = [...messages]
    socket.on('data', () => void socket.write(left.shift() ?? ''))
  }

const refusing = (state: string, reason: string): ((socket: Socket) => void) =>
  answering(message('E', 'SFATAL', `C${state}`, `M${reason}`, ''))

for (const [what, greet, connectMs, cause] of [
  ['nobody listens', undefined, PATIENT_MS, /ECONNREFUSED/],
  ['nobody answers', () => undefined, IMPATIENT_MS, /nobody answered within 40 ms/],
  [
    'nobody answers after the greeting',
    answering(Buffer.concat([message('R', 0), message('Z', '')])),
    IMPATIENT_MS,
    /no connection to/,
  ],
  ['every connection is lost', (socket: Socket) => void socket.destroy(), PATIENT_MS, /terminated|ECONNRESET/],
  ['a server that is starting', refusing('57P03', 'the database system is starting up'), PATIENT_MS, /starting up/],
] as const) {
  test(`${what}: opening fails when the server has been away for awayMs, and says where, why and what to look at`, async () => {
    for (const open of OPENINGS) {
      const { error, tookMs, port } = await openAt(greet, open, connectMs)
      assert.equal(error.code, 'IO_FAILED', String(error))
      assert.match(error.message, cause)
      assert.ok(error.message.includes(`127.0.0.1:${port}, database store, as varve`), error.message)
      assert.match(error.message, /is the address right.*awayMs/)
      assert.ok(tookMs >= AWAY_MS, `given up after ${tookMs} ms`)
    }
  })
}

test('a server that never answers is given up when it has been away for awayMs, counted from the first try', async () => {
  for (const open of OPENINGS) {
    const { connections } = await openAt((_, clock) => clock.advance(AWAY_MS), open, IMPATIENT_MS)
    assert.equal(connections, 1, 'the time that a try took was not counted')
  }
})

for (const [what, greet, code, cause] of [
  [
    'a wrong password',
    refusing('28P01', 'password authentication failed for user "varve"'),
    'PERMISSION_DENIED',
    /password authentication failed/,
  ],
  [
    'a missing password',
    answering(message('R', 10, 'SCRAM-SHA-256', ''), message('R', 11, 'r=nonce,s=salt,i=4096')),
    'PERMISSION_DENIED',
    /there is none/,
  ],
  ['a database that is not there', refusing('3D000', 'database "store" does not exist'), 'IO_FAILED', /does not exist/],
] as const) {
  test(`${what} is told at once, with the place`, async () => {
    for (const open of OPENINGS) {
      const { error, connections, port } = await openAt(greet, open)
      assert.equal(error.code, code, String(error))
      assert.match(error.message, cause)
      assert.ok(error.message.includes(`127.0.0.1:${port}`), error.message)
      assert.equal(connections, 1, 'it was tried again')
    }
  })
}

test('what is no address is a TypeError that names the option, and not what may be secret in it', () => {
  const clock = new SimulatedClock()
  for (const [address, expected] of [
    [{ connectionString: 'mysql://varve:secret@db/store' }, /connectionString must begin with postgres:\/\//],
    [{ connectionString: 'db.example.org' }, /connectionString must begin with/],
    [{ connectionString: 'host=db user=varve password=secret' }, /connectionString must begin with/],
    [{ connectionString: 'localhost:5432/store' }, /connectionString must begin with/],
    [{ connectionString: 'postgres://varve:secret@db:port/store' }, /address cannot be used: Invalid URL/],
    [{ connectionString: 5 }, /address\.connectionString must be a string/],
    [{ host: 'db', port: '5432' }, /address\.port must be 1…65535/],
    [{ connectionString: 'postgres://db/store', password: 'secret' }, /password is of no use beside connectionString/],
    [{ hots: 'db' }, /unknown option address\.hots/],
    ['postgres://db/store', /address must be an object/],
  ] as const) {
    assert.throws(
      () => new PostgresDatabase({ address: address as object, clock }),
      (error: unknown) => {
        assert.ok(error instanceof TypeError, String(error))
        assert.match(error.message, expected)
        assert.ok(!JSON.stringify([error.message, error.cause]).includes('secret'), 'a secret is in the error')
        return true
      },
    )
  }
  const settings = { awayMS: 5 } as object
  assert.throws(() => new PostgresDatabase({ address: {}, clock, settings }), /TypeError: unknown setting awayMS/)
  for (const address of [{}, { connectionString: 'postgresql:///store?host=/run' }, { host: '/run', port: 5433 }])
    assert.ok(new PostgresDatabase({ address, clock }))
})
