/** A server for the tests of one file, or the reason why there is none, and databases in schemas of their own. */

import { PostgresDatabase } from '../../src/postgres/postgres-database.ts'
import type { PostgresSettings } from '../../src/postgres/settings.ts'
import { SystemClock } from '../../src/system-clock.ts'
import { PostgresServer } from '../../tools/servers/postgres.ts'

export const clock = new SystemClock()

// Machines that test are busy: of what should come, nobody is to give up waiting too early.
const PATIENT: Partial<PostgresSettings> = { connectMs: 60_000, answerMs: 60_000, awayMs: 60_000 }

export class PostgresPlace {
  readonly server: PostgresServer | undefined
  readonly skip: { readonly skip?: string }
  #schemas = 0
  #opened: PostgresDatabase[] = []

  private constructor(started: PostgresServer | string) {
    this.server = typeof started === 'string' ? undefined : started
    this.skip = typeof started === 'string' ? { skip: started } : {}
  }

  static async start(options: readonly string[] = []): Promise<PostgresPlace> {
    return new PostgresPlace(await PostgresServer.start(options))
  }

  get running(): PostgresServer {
    if (this.server === undefined) throw new Error('there is no server')
    return this.server
  }

  /** A name that no test has used. */
  schema(): string {
    return `Test "${++this.#schemas}"`
  }

  database(schema: string, settings: Partial<PostgresSettings> = {}): PostgresDatabase {
    const address = { connectionString: this.running.url }
    const database = new PostgresDatabase({ address, clock, settings: { schema, ...PATIENT, ...settings } })
    this.#opened.push(database)
    return database
  }

  async closeDatabases(): Promise<void> {
    for (const database of this.#opened.splice(0)) await database.close()
  }

  async stop(): Promise<void> {
    await this.closeDatabases()
    await this.server?.stop()
  }
}
