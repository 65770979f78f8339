import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SqlFailure } from '../../postgres/sql.ts'
import type { SqlAnswer, SqlStatement } from '../../postgres/sql.ts'
import { SimulatedClock } from '../../testing/simulated-clock.ts'
import { JournalReserve } from './journal-reserve.ts'

/** Writes down the first word of every statement, and what the reserve said of itself meanwhile. */
class Database {
  readonly clock = new SimulatedClock()
  readonly said: string[] = []
  warned = false
  full = false
  reserve: JournalReserve | undefined

  table(name: string): string {
    return name
  }

  async query({ text }: SqlStatement): Promise<SqlAnswer> {
    const [word = ''] = text.split(' ')
    this.said.push(this.reserve?.making === true ? `${word}, kept` : word)
    await Promise.resolve()
    if (this.full && word === 'INSERT') throw new SqlFailure('full', { answered: true, sqlState: '53100' })
    return { rows: [], warned: this.warned && word === 'VACUUM' }
  }
}

async function afterRefusals(database: Database): Promise<readonly string[]> {
  const reserve = new JournalReserve(database)
  database.reserve = reserve
  for (let refusal = 0; refusal < 10; refusal++) reserve.refused()
  assert.equal(reserve.making, false)
  database.clock.advance(5_000)
  assert.equal(reserve.making, true)
  for (let turn = 0; turn < 100; turn++) await Promise.resolve()
  assert.equal(reserve.making, false)
  return database.said.splice(0)
}

test('many refusals make room once: the reserve is empty while vacuum runs, and full again behind it', async () => {
  const database = new Database()
  const rounds = ['TRUNCATE, kept', 'VACUUM, kept', 'INSERT, kept']
  assert.deepEqual(await afterRefusals(database), rounds)
  assert.deepEqual(await afterRefusals(database), rounds)
})

test('where vacuum was left to somebody else the room is left to it, too', async () => {
  const database = new Database()
  database.warned = true
  assert.deepEqual(await afterRefusals(database), ['TRUNCATE, kept', 'VACUUM, kept'])
})

test('a reserve that finds no room keeps no part of it', async () => {
  const database = new Database()
  database.full = true
  await new JournalReserve(database).fill()
  assert.deepEqual(database.said, ['INSERT', 'TRUNCATE'])
})
