/** A small database of one peer, closed in order: part of it compacted, the rest as the last writes left it. */

import { readFileSync, readdirSync } from 'node:fs'
import { join, relative } from 'node:path'
import type { Store } from '../peers/peer.ts'
import { peerNamed } from '../peers/peer-table.ts'

export const STORE_OPTIONS = Object.freeze({ cacheBytes: 1024 * 1024, synced: false })

/** What must be answered: values by key, both as latin1, in key order. */
export type Content = ReadonlyMap<string, string>

export interface Specimen {
  readonly content: Content
  /** Bytes by path, relative to the directory. */
  readonly files: ReadonlyMap<string, Uint8Array>
}

// Logs for people, locks, and space set aside: nothing that a reader is given comes from them.
const WITHOUT_DATA = /^(?:LOG(?:\.old)?|LOCK|lock\.mdb|data\.mdb-lock|reserve|.*-shm)$/
const KEYS = 400

function keyOf(index: number): string {
  return `key/${String(index).padStart(6, '0')}`
}

/** Some values compress, some do not. */
function valueOf(index: number): string {
  return index % 3 === 0 ? `${index}-`.repeat(24) : `value ${Math.imul(index, 0x9e3779b1) >>> 0} of ${index} `.repeat(3)
}

export async function makeSpecimen(peer: string, directory: string): Promise<Specimen> {
  const model = new Map<string, string>()
  const put = async (store: Store, index: number, value: string): Promise<void> => {
    model.set(keyOf(index), value)
    await store.put(Buffer.from(keyOf(index)), Buffer.from(value))
  }
  const first = await peerNamed(peer).open(directory, STORE_OPTIONS)
  for (let index = 0; index < KEYS; index++) await put(first, index, valueOf(index))
  await first.compact()
  await first.close()
  const second = await peerNamed(peer).open(directory, STORE_OPTIONS)
  for (let index = 0; index < KEYS; index += 10) await put(second, index, valueOf(index + KEYS))
  await second.deleteRange(Buffer.from(keyOf(100)), Buffer.from(keyOf(120)))
  for (let index = 100; index < 120; index++) model.delete(keyOf(index))
  for (let index = KEYS; index < KEYS + 20; index++) await put(second, index, valueOf(index))
  await second.close()
  const paths = readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(directory, join(entry.parentPath, entry.name)))
  return {
    content: new Map([...model].sort(([a], [b]) => (a < b ? -1 : 1))),
    files: new Map(paths.sort().map((path) => [path, new Uint8Array(readFileSync(join(directory, path)))])),
  }
}

/** Files whose damage could show. */
export function dataFiles({ files }: Specimen): readonly string[] {
  return [...files].filter(([path, bytes]) => bytes.length > 0 && !WITHOUT_DATA.test(path)).map(([path]) => path)
}
