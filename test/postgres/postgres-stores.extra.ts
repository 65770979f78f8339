/** The journal and the heads on a PostgreSQL server: what every journal and every head store promises. */

import { after, test } from 'node:test'
import { PostgresHeadStore } from '../../src/fs/postgres/postgres-head-store.ts'
import { loadHash } from '../../src/kernel/hash.ts'
import { PostgresJournalSystem } from '../../src/journal/postgres/postgres-journal-system.ts'
import { testHeadStore } from '../../src/testing/head-store-conformance.ts'
import { testJournal } from '../../src/testing/journal-conformance.ts'
import { SystemRandom } from '../../src/system-random.ts'
import { PostgresPlace } from './postgres-place.ts'

const hash = await loadHash()
const random = new SystemRandom()
const place = await PostgresPlace.start()

after(() => place.stop())

testJournal({
  test: (name, options, body) => test(name, { ...options, ...place.skip }, body),
  name: 'a journal in PostgreSQL',
  open: async () => {
    const schema = place.schema()
    const database = place.database(schema)
    const systems = [0, 1].map(() => PostgresJournalSystem.connect({ database, hash, random }))
    const [one, two] = (await Promise.all(systems)) as [PostgresJournalSystem, PostgresJournalSystem]
    let count = 0
    return { system: () => (count++ % 2 === 0 ? one : two), dispose: () => place.closeDatabases() }
  },
})

testHeadStore({
  test: (name, options, body) => test(name, { ...options, ...place.skip }, body),
  name: 'heads in PostgreSQL',
  open: async () => {
    const schema = place.schema()
    let crashed: Promise<void> | undefined
    return {
      open: async () => {
        await crashed
        await place.running.restart()
        return PostgresHeadStore.open({ database: place.database(schema), hash, random })
      },
      powerCut: () => void (crashed = place.running.crash()),
      dispose: () => place.closeDatabases(),
    }
  },
})
