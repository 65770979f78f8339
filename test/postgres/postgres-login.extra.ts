/**
 * A login that a PostgreSQL server refuses while a shard is open, as when its role is locked, its password changed, or the
 * server told not to let it in; and a server that is away while nobody writes. What was never sent was not appended.
 */

import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { after, test } from 'node:test'
import { inspect } from 'node:util'
import pg from 'pg'
import * as kvJobs from '../../src/engines/kv/jobs.ts'
import type { KvShard } from '../../src/engines/kv/kv-shard.ts'
import { openKv } from '../../src/engines/kv/open-kv.ts'
import { MemoryFileStore } from '../../src/fs/memory-file-store.ts'
import { PostgresHeadStore } from '../../src/fs/postgres/postgres-head-store.ts'
import { HandlerTable } from '../../src/jobs/handler-table.ts'
import { InlineScheduler } from '../../src/jobs/inline-scheduler.ts'
import { PostgresJournalSystem } from '../../src/journal/postgres/postgres-journal-system.ts'
import { isCode } from '../../src/kernel/errors.ts'
import { loadHash } from '../../src/kernel/hash.ts'
import { shardId } from '../../src/kernel/ids.ts'
import { PostgresDatabase } from '../../src/postgres/postgres-database.ts'
import { SystemRandom } from '../../src/system-random.ts'
import { PostgresPlace, clock } from './postgres-place.ts'

const PASSWORD = 'the first one'
const AWAY_MS = 1_500
const STALL_MS = 1_000
// Machines that test are busy, and attempts are seconds apart.
const BACK_MS_MAX = 60_000
const CLOSED_MS_MAX = 30_000
const TURNS_TO_BE_TOLD = 20
/** invalid_password, invalid_authorization_specification. */
const ANSWERS_TO_STRANGERS = { 'scram-sha-256': '28P01', reject: '28000' } as const
const hash = await loadHash()
const random = new SystemRandom()
const place = await PostgresPlace.start()
const files = new MemoryFileStore({ hash })

after(() => place.stop())

const keyOf = (number: number): Uint8Array => Buffer.from(`key ${number}`)
const valueOf = (number: number): Uint8Array => Buffer.alloc(100, number)

/** Resolves when whoever had a connection to a process that has ended knows it: what it sends then was never sent. */
async function told(): Promise<void> {
  for (let turn = 0; turn < TURNS_TO_BE_TOLD; turn++) await clock.turn()
}

/** A shard of a role of its own, which its operator changes. */
class Login {
  readonly #role: string
  readonly #operator: PostgresDatabase
  readonly #shard: string

  constructor(name: string) {
    this.#role = `role_${name}`
    this.#shard = name
    this.#operator = place.database(`operator ${name}`)
  }

  async make(): Promise<void> {
    await this.run(`CREATE ROLE ${this.#role} LOGIN PASSWORD '${PASSWORD}'`)
    await this.run(`GRANT CREATE ON DATABASE postgres TO ${this.#role}`)
    await this.asks('scram-sha-256')
  }

  async run(text: string): Promise<void> {
    await this.#operator.query({ name: '', text }, [])
  }

  /** How the role is let in from now on. Resolves when the server has heard of it, which is some time after it was told. */
  async asks(method: 'scram-sha-256' | 'reject'): Promise<void> {
    const lines = [`host all ${this.#role} 127.0.0.1/32 ${method}`, 'host all postgres 127.0.0.1/32 trust']
    const rows = lines.map((line) => `('${line}')`).join()
    await this.run(`DO $$ BEGIN EXECUTE format('COPY (VALUES ${rows.replaceAll("'", "''")}) TO %L',
      current_setting('hba_file')); END $$`)
    await this.run('SELECT pg_reload_conf()')
    while ((await this.#answerToStranger()) !== ANSWERS_TO_STRANGERS[method]) await sleep(20)
  }

  /** Ends its connections. Resolves when their processes have ended, and whoever had them has been told. */
  async cut(): Promise<void> {
    const { rows } = await this.#operator.query(
      {
        name: '',
        text: `SELECT pid AS value, pg_terminate_backend(pid) AS cut FROM pg_stat_activity WHERE usename = '${this.#role}'`,
      },
      [],
    )
    while (rows.some(({ value }) => existsSync(`/proc/${value}`))) await sleep(20)
    await told()
  }

  /** The code of the error, where the password is a wrong one. */
  async #answerToStranger(): Promise<string | undefined> {
    const { port } = place.running
    const client = new pg.Client({ host: '127.0.0.1', port, database: 'postgres', user: this.#role, password: 'wrong' })
    return client.connect().then(
      () => client.end().then(() => undefined),
      (error: { readonly code?: string }) => error.code,
    )
  }

  get role(): string {
    return this.#role
  }

  async open(): Promise<KvShard> {
    const { port } = place.running
    const address = { host: '127.0.0.1', port, database: 'postgres', user: this.#role, password: PASSWORD }
    const settings = { schema: `of ${this.#shard}`, awayMs: AWAY_MS }
    const database = new PostgresDatabase({ address, clock, settings })
    const jobs = new InlineScheduler({ files, hash, clock, handlers: new HandlerTable({ 'varve/kv/jobs': kvJobs }) })
    const heads = await PostgresHeadStore.open({ database, hash, random })
    const journal = await PostgresJournalSystem.connect({ database, hash, random })
    const close = async (): Promise<void> => {
      await jobs.close()
      await database.close()
    }
    const parts = { shard: shardId(this.#shard), files, heads, journal, jobs, clock, random, hash, close }
    return openKv(parts, { settings: { memtableBytes: 64 * 1024, stallMs: STALL_MS } })
  }
}

interface Refusal {
  readonly name: string
  readonly code: 'PERMISSION_DENIED' | 'IO_FAILED'
  /** Resolves when connections have ended, and whoever had them knows. */
  refuse(login: Login): Promise<void>
  admit(login: Login): Promise<void>
}

const REFUSALS: readonly Refusal[] = [
  {
    name: 'role that is locked',
    code: 'PERMISSION_DENIED',
    refuse: (login) => login.run(`ALTER ROLE ${login.role} NOLOGIN`).then(() => login.cut()),
    admit: (login) => login.run(`ALTER ROLE ${login.role} LOGIN`),
  },
  {
    name: 'password that was changed',
    code: 'PERMISSION_DENIED',
    refuse: (login) => login.run(`ALTER ROLE ${login.role} PASSWORD 'another'`).then(() => login.cut()),
    admit: (login) => login.run(`ALTER ROLE ${login.role} PASSWORD '${PASSWORD}'`),
  },
  {
    name: 'rule in pg_hba.conf',
    code: 'PERMISSION_DENIED',
    refuse: (login) => login.asks('reject').then(() => login.cut()),
    admit: (login) => login.asks('scram-sha-256'),
  },
  {
    name: 'server that is away',
    code: 'IO_FAILED',
    refuse: () => place.running.crash().then(told),
    admit: () => place.running.restart(),
  },
]

for (const [index, refusal] of REFUSALS.entries()) {
  const { name, code } = refusal
  // Every write was told POISONED from then on, though nothing of the refused one had been sent.
  test(`a ${name} refuses writes, and they go on when it lets them`, place.skip, async (context) => {
    const login = new Login(`shard${index}`)
    await login.make()
    const db = await login.open()
    const acknowledged = new Set<number>()
    const put = async (number: number): Promise<void> => {
      await db.put(keyOf(number), valueOf(number), { durability: 'synced' })
      acknowledged.add(number)
    }
    for (let number = 0; number < 900; number += 100)
      await Promise.all(Array.from({ length: 100 }, (_, each) => put(number + each)))
    let admitted = false
    // Of one that fails half-way, the next finds the server as it was.
    context.after(() => (admitted ? undefined : refusal.admit(login)))
    await refusal.refuse(login)
    await assert.rejects(put(1_000), (error) => isCode(error, code))
    assert.deepEqual(await db.get(keyOf(1)), valueOf(1), 'what was acknowledged can be read')
    assert.equal(await db.get(keyOf(1_000)), undefined)
    // They wait, and are told why when that has lasted.
    const waited = await put(1_001).then(
      () => undefined,
      (error: unknown) => error,
    )
    assert.ok(isCode(waited, 'BUSY'), String(waited))
    assert.ok(isCode(waited.cause, code), String(waited.cause))
    await assert.rejects(db.flush(), (error) => isCode(error, code, 'BUSY'))
    await refusal.admit(login)
    admitted = true
    const since = clock.monotonic()
    for (let number = 2_000; ; number++) {
      const outcome = await put(number).catch((error: unknown) => error)
      if (outcome === undefined) break
      assert.ok(isCode(outcome, 'BUSY', code), inspect(outcome))
      assert.ok(clock.monotonic() - since < BACK_MS_MAX, outcome.message)
    }
    for (let number = 3_000; number < 3_900; number += 100)
      await Promise.all(Array.from({ length: 100 }, (_, each) => put(number + each)))
    await db.flush()
    await db.close()
    const again = await login.open()
    const found = new Set<string>()
    for await (const { key } of again.scan()) found.add(Buffer.from(key).toString())
    assert.deepEqual(found, new Set([...acknowledged].map((number) => `key ${number}`)))
    await again.close()
    await place.closeDatabases()
  })
}

test(
  'a shard whose login is refused closes in time, and one that was taken over meanwhile is told so',
  place.skip,
  async () => {
    const login = new Login('taken')
    await login.make()
    const closing = await login.open()
    await closing.put(keyOf(1), valueOf(1), { durability: 'synced' })
    await login.run(`ALTER ROLE ${login.role} NOLOGIN`)
    await login.cut()
    await assert.rejects(closing.put(keyOf(2), valueOf(2)), (error) => isCode(error, 'PERMISSION_DENIED'))
    const began = clock.monotonic()
    await closing.close()
    assert.ok(clock.monotonic() - began < CLOSED_MS_MAX, 'closing hung')
    await login.run(`ALTER ROLE ${login.role} LOGIN`)
    const former = await login.open()
    await former.put(keyOf(3), valueOf(3), { durability: 'synced' })
    await login.run(`ALTER ROLE ${login.role} NOLOGIN`)
    await login.cut()
    await assert.rejects(former.put(keyOf(4), valueOf(4)), (error) => isCode(error, 'PERMISSION_DENIED'))
    await login.run(`ALTER ROLE ${login.role} LOGIN`)
    const owner = await login.open()
    await owner.put(keyOf(5), valueOf(5), { durability: 'synced' })
    await assert.rejects(
      async () => {
        for (;;)
          await former.put(keyOf(6), valueOf(6)).catch((error: unknown) => {
            if (!isCode(error, 'BUSY', 'PERMISSION_DENIED')) throw error
          })
      },
      (error) => isCode(error, 'FENCED'),
    )
    await former.close()
    for (const [number, there] of [
      [1, true],
      [2, false],
      [3, true],
      [4, false],
      [5, true],
      [6, false],
    ] as const)
      assert.equal((await owner.get(keyOf(number))) !== undefined, there, String(number))
    await owner.close()
    await place.closeDatabases()
  },
)
