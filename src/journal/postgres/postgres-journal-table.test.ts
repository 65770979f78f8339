import assert from 'node:assert/strict'
import { test } from 'node:test'
import { shardId } from '../../kernel/ids.ts'
import type { PostgresDatabase } from '../../postgres/postgres-database.ts'
import { SqlFailure } from '../../postgres/sql.ts'
import type { SqlAnswer, SqlSession, SqlStatement } from '../../postgres/sql.ts'
import { SimulatedClock } from '../../testing/simulated-clock.ts'
import { PostgresJournalTable } from './postgres-journal-table.ts'

const shard = shardId('main')
const row = { position: 0, size: 1, batch: 0, kind: 'batches', checksum: 0n, content: Uint8Array.of(1) } as const
const append = { shard, epoch: 1, owner: 'this', start: 0, end: 1, rows: [row], durable: false }

/** A tablespace without room, with a vacuum that takes its time. */
class FullDatabase {
  readonly clock = new SimulatedClock()
  readonly sent: string[] = []
  owner = 'this'
  full = true
  finishVacuum: () => void = () => undefined

  table(name: string): string {
    return name
  }

  async ensure(): Promise<void> {}

  async alone(use: (session: SqlSession) => Promise<void>): Promise<void> {
    await use({ query: (statement) => this.query(statement), script: () => Promise.resolve() })
  }

  async query({ name, text }: SqlStatement): Promise<SqlAnswer> {
    if (name === '') {
      if (text.startsWith('VACUUM')) await new Promise<void>((resolve) => (this.finishVacuum = resolve))
    } else {
      this.sent.push(name)
    }
    if (name === 'varve-journal-append' && this.full)
      throw new SqlFailure('full', { answered: true, sqlState: '53100' })
    const state = { shard, epoch: '1', owner: this.owner, start_position: '0', end_position: '0' }
    return { rows: name === '' ? [] : [state], warned: false }
  }
}

async function turns(): Promise<void> {
  for (let turn = 0; turn < 100; turn++) await Promise.resolve()
}

test('while vacuum has what room there is, an append is refused unsent, and an owner that was replaced is told so', async () => {
  const database = new FullDatabase()
  const table = await PostgresJournalTable.open(database as unknown as PostgresDatabase)
  await assert.rejects(table.append(append), { sqlState: '53100' })
  database.clock.advance(5_000)
  await turns()
  database.full = false
  database.sent.length = 0
  await assert.rejects(table.append(append), { sqlState: '53100', answered: true })
  assert.deepEqual(database.sent, ['varve-journal-look'])
  assert.equal(await table.append({ ...append, end: 0, rows: [] }), 'done')
  database.owner = 'another'
  assert.equal(await table.append(append), 'refused')
  database.finishVacuum()
  await turns()
  database.sent.length = 0
  assert.equal(await table.append(append), 'done')
  assert.deepEqual(database.sent, ['varve-journal-append'])
})
