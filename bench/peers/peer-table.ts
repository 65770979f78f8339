/** Every peer by name. */

import { existsSync } from 'node:fs'
import { pathToFileURL } from 'node:url'
import { betterSqlite3 } from './better-sqlite3.ts'
import { classicLevel } from './classic-level.ts'
import { DB_BENCH } from './db-bench.ts'
import { lmdb } from './lmdb.ts'
import { nxteditionRocksdb } from './nxtedition-rocksdb.ts'
import type { Peer } from './peer.ts'
import { slatedb } from './slatedb.ts'
import { varvePeer } from './varve.ts'

/** The package as built from this repository. This module runs from `bench/build/peers/`. */
const DIST = new URL('../../../dist/', import.meta.url)

/** Compositions of varve, so that what each component costs is visible. All but the first are variations of it. */
const COMPOSITIONS: Readonly<Record<string, Omit<Parameters<typeof varvePeer>[0], 'name' | 'dist'>>> = Object.freeze({
  varve: { place: 'local', note: 'as it comes' },
  'varve-js': { place: 'local', note: 'VARVE_NATIVE=0: without the addon' },
  'varve-raw': { place: 'local', settings: { compression: 'none' }, note: 'without compression' },
  'varve-inline': { place: 'local', jobs: 'inline', note: 'flush and compaction on the main thread' },
  'varve-memory': { place: 'memory', note: 'journal and files in memory, jobs on the main thread' },
})

const OTHERS: readonly Peer[] = [classicLevel, nxteditionRocksdb, lmdb, betterSqlite3, slatedb]

export const PEER_NAMES: readonly string[] = [...Object.keys(COMPOSITIONS), ...OTHERS.map(({ name }) => name), DB_BENCH]

/** Environment that a peer's process needs. */
export function peerEnvironment(name: string): Readonly<Record<string, string>> {
  return name.split('@')[0] === 'varve-js' ? { VARVE_NATIVE: '0' } : {}
}

/** Whether what it wrote is there when it is opened again. @throws {RangeError} there is no such peer */
export function persists(name: string): boolean {
  return name === DB_BENCH || peerNamed(name).persists
}

/** Varve's own compositions, which are no peers of themselves. */
export function isVarve(name: string): boolean {
  return Object.hasOwn(COMPOSITIONS, name.split('@')[0] ?? '')
}

/**
 * `varve@DIRECTORY` is the same composition from another build.
 *
 * @throws {RangeError} there is no such peer
 */
export function peerNamed(name: string): Peer {
  const [base = '', ...rest] = name.split('@')
  const composition = COMPOSITIONS[base]
  if (composition !== undefined) {
    const dist = rest.length === 0 ? DIST : pathToFileURL(`${rest.join('@')}/`)
    if (!existsSync(new URL('index.js', dist))) throw new RangeError(`${name}: there is no build in ${dist.pathname}`)
    return varvePeer({ ...composition, name, dist })
  }
  const peer = OTHERS.find((other) => other.name === name)
  if (peer === undefined) throw new RangeError(`there is no peer ${name}; there are ${PEER_NAMES.join(', ')}`)
  return peer
}
