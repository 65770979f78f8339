import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SqlFailure } from '../../postgres/sql.ts'
import type { SqlAnswer, SqlSession, SqlStatement } from '../../postgres/sql.ts'
import { SimulatedClock } from '../../testing/simulated-clock.ts'
import { JournalReserve } from './journal-reserve.ts'

/** Writes down what it is asked, by whom, and whether appends were kept away meanwhile. */
class Database {
  readonly clock = new SimulatedClock()
  readonly said: string[] = []
  refuses: (text: string) => boolean = () => false
  reserve: JournalReserve | undefined
  #sessions = 0

  table(name: string): string {
    return name
  }

  query({ text }: SqlStatement): Promise<SqlAnswer> {
    return this.#answer('pool', text)
  }

  async alone(use: (session: SqlSession) => Promise<void>): Promise<void> {
    const name = `session ${++this.#sessions}`
    try {
      await use({
        query: ({ text }) => this.#answer(name, text),
        script: async (text) => void (await this.#answer(name, text)),
      })
    } finally {
      this.#sessions--
      this.#note(name, 'END')
    }
  }

  async #answer(who: string, text: string): Promise<SqlAnswer> {
    this.#note(who, text.split(' ', 1)[0]?.replace(';', '') ?? '')
    await Promise.resolve()
    if (this.refuses(text)) throw new SqlFailure('full', { answered: true, sqlState: '53100' })
    return { rows: [], warned: false }
  }

  #note(who: string, what: string): void {
    this.said.push(`${who}: ${what}${this.reserve?.making === true ? ', kept' : ''}`)
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

const WORK = ['session 2: TRUNCATE, kept', 'session 2: VACUUM, kept', 'session 2: INSERT, kept']
const ROUND = ['session 1: BEGIN, kept', ...WORK, 'session 2: END, kept', 'session 1: END, kept']

test('many refusals make room once, with all rows locked, and the reserve is full again before they are not', async () => {
  const database = new Database()
  assert.deepEqual(await afterRefusals(database), ROUND)
  assert.deepEqual(await afterRefusals(database), ROUND)
})

test('without the lock nothing is given away, and whoever is refused next asks again', async () => {
  const database = new Database()
  database.refuses = (text) => text.startsWith('BEGIN')
  const reserve = new JournalReserve(database)
  for (let round = 0; round < 2; round++) {
    reserve.refused()
    database.clock.advance(5_000)
    for (let turn = 0; turn < 100; turn++) await Promise.resolve()
    assert.deepEqual(database.said.splice(0), ['session 1: BEGIN', 'session 2: END', 'session 1: END'])
  }
})

test('a vacuum that could not do it leaves the reserve as it was', async () => {
  const database = new Database()
  database.refuses = (text) => text.startsWith('VACUUM')
  assert.deepEqual(await afterRefusals(database), ROUND)
})

test('a reserve holds what there is room for, and no part of what there was none for', async () => {
  const database = new Database()
  database.refuses = (text) => /1, (?:4096|2048)/.test(text)
  await new JournalReserve(database).fill()
  const [insert, truncate] = ['pool: INSERT', 'pool: TRUNCATE']
  assert.deepEqual(database.said, [insert, truncate, insert, truncate, insert])
  database.said.length = 0
  database.refuses = (text) => text.startsWith('INSERT')
  await new JournalReserve(database).fill()
  assert.equal(database.said.at(-1), truncate)
  assert.ok(database.said.length < 20, 'it gives up')
})
