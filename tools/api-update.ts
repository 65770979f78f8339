/** `npm run api:update`: writes what the built package exports into tools/api, on purpose. */

import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { declarationsOf, snapshotName, snapshotText } from './api-snapshot.ts'
import { ROOT, readManifest } from './repository.ts'

const folder = join(ROOT, 'tools/api')
const snapshots = new Map<string, string>()
for (const [subpath, entry] of declarationsOf(readManifest())) {
  snapshots.set(snapshotName(subpath), snapshotText(ROOT, entry))
}

mkdirSync(folder, { recursive: true })
for (const name of readdirSync(folder)) if (!snapshots.has(name)) rmSync(join(folder, name))
for (const [name, text] of snapshots) writeFileSync(join(folder, name), text)
console.log(`tools/api: ${snapshots.size} snapshots written; read the difference before you commit it`)
