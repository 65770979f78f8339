/**
 * The public API as text, one file per subpath in tools/api: every exported name with its declaration.
 *
 *      // appendTo
 *      export function appendTo(target: Uint8Array, bytes: Uint8Array): number;
 *
 * A change of the API shows up as a change of these files, which someone makes on purpose: `npm run api:update`.
 */

import { DeclarationReader } from './declarations.ts'
import type { PackageManifest } from './repository.ts'

/** Subpath → built declaration file: `./kv/jobs` → `dist/engines/kv/jobs.d.ts`. */
export function declarationsOf(manifest: PackageManifest): ReadonlyMap<string, string> {
  const found = new Map<string, string>()
  for (const [subpath, entry] of Object.entries(manifest.exports)) {
    if (typeof entry !== 'string') found.set(subpath, entry.types.replace(/^\.\//, ''))
  }
  return found
}

/** `.` → `index.txt`, `./kv/jobs` → `kv-jobs.txt`. */
export function snapshotName(subpath: string): string {
  return subpath === '.' ? 'index.txt' : `${subpath.replace(/^\.\//, '').replaceAll('/', '-')}.txt`
}

/** The snapshot of the module whose declarations are in `entry`, relative to `root`; sorted by name. */
export function snapshotText(root: string, entry: string): string {
  const exported = [...new DeclarationReader(root).exportsOf(entry)].sort(([a], [b]) => (a < b ? -1 : 1))
  return exported.map(([name, declaration]) => `// ${name}\n${declaration}\n`).join('\n')
}

/** What differs, declaration by declaration: `-` as recorded, `+` as it is now. Empty when nothing does. */
export function difference(recorded: string, current: string): string {
  const before = declarationsIn(recorded)
  const after = declarationsIn(current)
  const lines: string[] = []
  for (const name of [...new Set([...before.keys(), ...after.keys()])].sort()) {
    const [old, fresh] = [before.get(name), after.get(name)]
    if (old === fresh) continue
    lines.push(`${old === undefined ? 'added' : fresh === undefined ? 'removed' : 'changed'} ${name}`)
    if (old !== undefined) lines.push(...prefixLines('  - ', old))
    if (fresh !== undefined) lines.push(...prefixLines('  + ', fresh))
  }
  return lines.join('\n')
}

function declarationsIn(snapshot: string): ReadonlyMap<string, string> {
  const found = new Map<string, string>()
  for (const block of snapshot.split(/^\/\/ /m).slice(1)) {
    const end = block.indexOf('\n')
    found.set(block.slice(0, end), block.slice(end).trim())
  }
  return found
}

function prefixLines(prefix: string, text: string): readonly string[] {
  return text.split('\n').map((line) => prefix + line)
}
