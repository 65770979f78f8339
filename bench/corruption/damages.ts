/** What may befall stored bytes: the kinds of test/corruption/damage.ts that mean the same to every engine. */

import { mix } from '../data/random.ts'
import { dataFiles } from './specimen.ts'
import type { Specimen } from './specimen.ts'

export interface Damage {
  readonly kind: string
  readonly what: string
  readonly path: string
  /** The file instead; undefined: gone. */
  readonly bytes: Uint8Array | undefined
}

const SECTOR_BYTES = 512

/** About `count` of each kind, spread evenly over all bytes of all files, the same every time. */
export function* damagesOf(specimen: Specimen, count: number): Generator<Damage> {
  const paths = dataFiles(specimen)
  const bytesOf = (path: string): Uint8Array => specimen.files.get(path) as Uint8Array
  const total = paths.reduce((sum, path) => sum + bytesOf(path).length, 0)
  const places = function* (): Generator<readonly [path: string, at: number, chance: number]> {
    const step = Math.max(1, total / count)
    let before = 0
    let next = step / 2
    for (const path of paths) {
      const { length } = bytesOf(path)
      for (; next < before + length; next += step) {
        const at = Math.floor(next) - before
        yield [path, at, mix(Math.floor(next)) >>> 0]
      }
      before += length
    }
  }
  for (const [path, at, chance] of places()) {
    const damaged = bytesOf(path).slice()
    damaged[at] = (damaged[at] as number) ^ (1 << (chance & 7))
    yield { kind: 'a bit flipped', what: `byte ${at}`, path, bytes: damaged }
  }
  for (const [path, at] of places()) {
    yield { kind: 'cut short', what: `to ${at} bytes`, path, bytes: bytesOf(path).slice(0, at) }
  }
  for (const [path, at, chance] of places()) {
    const damaged = bytesOf(path).slice()
    const start = at - (at % SECTOR_BYTES)
    damaged.fill((chance & 1) * 0xff, start, start + SECTOR_BYTES)
    yield { kind: 'a sector wiped', what: `at ${start}`, path, bytes: damaged }
  }
  for (const [path, at, chance] of places()) {
    const other = paths[chance % paths.length] as string
    const [start, from] = [at, chance >>> 8].map((place) => place - (place % SECTOR_BYTES)) as [number, number]
    const source = bytesOf(other)
    const damaged = bytesOf(path).slice()
    const sector = source.subarray(from % source.length, (from % source.length) + SECTOR_BYTES)
    damaged.set(sector.subarray(0, damaged.length - start), start)
    yield { kind: 'a sector written over another', what: `at ${start} from ${other}`, path, bytes: damaged }
  }
  for (const path of paths) yield { kind: 'a file deleted', what: 'deleted', path, bytes: undefined }
}
