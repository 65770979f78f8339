/** Files of one database in the place of another's that was made by the same recipe. */

import type { Damage } from './damage.ts'
import type { Image } from './image.ts'
import type { Specimen } from './specimen.ts'

const GROUPS: Readonly<Record<string, RegExp>> = {
  'the heads': /^heads/,
  'tables and manifests': /^files/,
  'the tables': /\.table$/,
  'the journal': /^journal/,
  'the segments': /\.log$/,
  'the fences': /fence\./,
  'the witnesses': /synced\./,
  'fences and witnesses': /(?:fence|synced)\./,
  'segments and witnesses': /\.log$|synced\./,
  'all but the heads': /^(?:files|journal)/,
  'all but the journal': /^(?:heads|files)/,
}

/** What a file is for, by its number: its name without what only its own database has in names. */
export function roleOf(path: string): string {
  return path
    .replace(/^(files\/main\.e\d+)-[0-9a-f]{8}-/, '$1-')
    .replace(/^((?:journal\/main|log\/shared)\/\d{16})-\d+-/, '$1-')
    .replace(/^((?:journal\/main|log\/shared)\/(?:fence|synced)\.\d+)-\d+$/, '$1')
}

/** Every file of `ours` replaced by the one with its role of `theirs`, under its name. */
export function* oneByOne(ours: Specimen, theirs: Specimen): Generator<Damage> {
  const foreign = byRole(theirs.image)
  for (const path of ours.paths) {
    const bytes = foreign.get(roleOf(path))
    if (bytes === undefined || equal(bytes, ours.image.get(path))) continue
    yield { what: `${path} of another database`, paths: [path], image: new Map(ours.image).set(path, bytes) }
  }
}

/** The same for groups, under the names of `ours`; and with those of `theirs` in the place of ours. */
export function* byGroups(ours: Specimen, theirs: Specimen): Generator<Damage> {
  const foreign = byRole(theirs.image)
  for (const [group, pattern] of Object.entries(GROUPS)) {
    const paths = [...ours.image.keys()].filter((path) => pattern.test(path))
    if (paths.length === 0) continue
    const renamed = paths.flatMap((path): [string, Uint8Array][] => {
      const bytes = foreign.get(roleOf(path))
      return bytes === undefined ? [] : [[path, bytes]]
    })
    yield { what: `${group} of another database, renamed`, paths, image: new Map([...ours.image, ...renamed]) }
    const kept = [...ours.image].filter(([path]) => !pattern.test(path))
    const taken = [...theirs.image].filter(([path]) => pattern.test(path))
    yield { what: `${group} of another database`, paths, image: new Map([...kept, ...taken]) }
  }
}

function byRole(image: Image): ReadonlyMap<string, Uint8Array> {
  return new Map([...image].map(([path, bytes]) => [roleOf(path), bytes]))
}

function equal(one: Uint8Array, other: Uint8Array | undefined): boolean {
  return other !== undefined && Buffer.compare(one, other) === 0
}
