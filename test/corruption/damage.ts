/** Everything that may befall stored bytes, one after the other: each makes a damaged image of a whole one. */

import type { Image } from './image.ts'
import type { Specimen } from './specimen.ts'

export interface Damage {
  readonly what: string
  /** The files that were damaged. */
  readonly paths: readonly string[]
  readonly image: Image
}

const SECTOR_BYTES = 512
// Further than the zeros that any file has inside.
const FAR_BYTES = 8192

/** One bit of every byte, another one in each, or all of them. */
function* flippedBits(specimen: Specimen, bits: 'one' | 'all'): Generator<Damage> {
  for (const [path, bytes] of targets(specimen)) {
    for (let at = 0; at < bytes.length; at++) {
      for (let bit = 0; bit < 8; bit++) {
        if (bits === 'one' && bit !== (at * 5 + 3) % 8) continue
        const damaged = bytes.slice()
        damaged[at] = (damaged[at] as number) ^ (1 << bit)
        yield replaced(specimen.image, path, damaged, `bit ${bit} of byte ${at} flipped`)
      }
    }
  }
}

/** Every length that a file may be cut to, and some that it may have grown to. */
function* changedLengths(specimen: Specimen): Generator<Damage> {
  for (const [path, bytes] of targets(specimen)) {
    for (let length = 0; length < bytes.length; length++) {
      yield replaced(specimen.image, path, bytes.slice(0, length), `cut to ${length} bytes`)
    }
    for (const [fill, extra] of [
      [0, 1],
      [0, SECTOR_BYTES],
      [0xff, 1],
      [0x5a, SECTOR_BYTES],
    ] as const) {
      const grown = new Uint8Array(bytes.length + extra).fill(fill)
      grown.set(bytes)
      yield replaced(specimen.image, path, grown, `${extra} bytes of ${fill} behind it`)
    }
    yield replaced(specimen.image, path, Buffer.concat([bytes, bytes]), 'itself behind it')
    yield replaced(
      specimen.image,
      path,
      Buffer.concat([bytes, new Uint8Array(FAR_BYTES), bytes]),
      'itself far behind it',
    )
  }
}

function* wipedSectors(specimen: Specimen): Generator<Damage> {
  for (const [path, bytes] of targets(specimen)) {
    for (let at = 0; at < bytes.length; at += SECTOR_BYTES) {
      for (const fill of [0, 0xff]) {
        const damaged = bytes.slice()
        damaged.fill(fill, at, at + SECTOR_BYTES)
        yield replaced(specimen.image, path, damaged, `sector at ${at} wiped with ${fill}`)
      }
    }
  }
}

/** Two sectors change places, in one file or between two; and one is written over another. */
function* swappedSectors(specimen: Specimen): Generator<Damage> {
  const { image } = specimen
  const sectors = targets(specimen).flatMap(([path, bytes]) =>
    Array.from({ length: Math.floor(bytes.length / SECTOR_BYTES) }, (_, index) => ({ path, at: index * SECTOR_BYTES })),
  )
  for (const [index, left] of sectors.entries()) {
    for (const right of sectors.slice(index + 1)) {
      const [one, other] = [sectorOf(image, left), sectorOf(image, right)]
      const what = `sectors at ${left.path}:${left.at} and ${right.path}:${right.at}`
      const paths = [left.path, right.path]
      yield { what: `${what} swapped`, paths, image: withSector(withSector(image, left, other), right, one) }
      yield { what: `${what}: the first over the second`, paths, image: withSector(image, right, one) }
    }
  }
}

/** Every file exchanged for everything that ever was in its directory, under this or another name. */
function* olderFiles(specimen: Specimen): Generator<Damage> {
  for (const [path, bytes] of targets(specimen)) {
    for (const [index, older] of (specimen.history.get(path.slice(0, path.lastIndexOf('/') + 1)) ?? []).entries()) {
      if (Buffer.compare(older, bytes) !== 0)
        yield replaced(specimen.image, path, older, `replaced by older content ${index}`)
    }
  }
}

function* deletedFiles({ image, paths }: Specimen): Generator<Damage> {
  for (const path of paths) {
    const left = new Map(image)
    left.delete(path)
    yield { what: `${path} deleted`, paths: [path], image: left }
  }
}

export type DamageKind = (specimen: Specimen) => Generator<Damage>

/** By name, for the command line and for reports. */
export const DAMAGES: Readonly<Record<string, DamageKind>> = Object.freeze({
  'a bit of every byte': (specimen) => flippedBits(specimen, 'one'),
  'every bit': (specimen) => flippedBits(specimen, 'all'),
  'every length': changedLengths,
  'sectors wiped': wipedSectors,
  'sectors swapped': swappedSectors,
  'files replaced by older ones': olderFiles,
  'files deleted': deletedFiles,
})

function targets({ image, paths }: Specimen): readonly (readonly [string, Uint8Array])[] {
  return paths.map((path) => [path, image.get(path) as Uint8Array])
}

interface Sector {
  readonly path: string
  readonly at: number
}

function sectorOf(image: Image, { path, at }: Sector): Uint8Array {
  return (image.get(path) as Uint8Array).subarray(at, at + SECTOR_BYTES)
}

function withSector(image: Image, { path, at }: Sector, bytes: Uint8Array): Image {
  const damaged = (image.get(path) as Uint8Array).slice()
  damaged.set(bytes, at)
  return new Map(image).set(path, damaged)
}

function replaced(image: Image, path: string, bytes: Uint8Array, what: string): Damage {
  return { what: `${path}: ${what}`, paths: [path], image: new Map(image).set(path, bytes) }
}
