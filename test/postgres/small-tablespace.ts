/** A server whose tables are in a small file system, by itself without vacuum; the program ends where there is none. */

import { chmodSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import pg from 'pg'
import { PostgresPlace } from './postgres-place.ts'

/** @param path the file system */
export async function startInTablespace(path: string): Promise<PostgresPlace> {
  // Nobody has vacuumed before the tablespace is full, and nobody else does it then.
  const place = await PostgresPlace.start(['autovacuum=off'])
  if (place.skip.skip !== undefined) {
    process.stdout.write(`skipped: ${place.skip.skip}\n`)
    process.exit(0)
  }
  const folder = join(path, 'space')
  mkdirSync(folder)
  chmodSync(path, 0o777)
  chmodSync(folder, 0o777)
  place.running.own(folder)
  const admin = new pg.Client({ connectionString: place.running.url })
  await admin.connect()
  await admin.query(`CREATE TABLESPACE small LOCATION '${folder}'`)
  await admin.query('ALTER DATABASE postgres SET default_tablespace = small')
  await admin.end()
  return place
}
