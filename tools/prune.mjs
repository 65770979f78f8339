/**
 * Removes what an earlier build left: `node tools/prune.mjs OUT SOURCE` deletes every file under OUT whose source under
 * SOURCE is gone, so that a deleted test does not run and a deleted module is not packed. The compiler does not do this.
 *
 * Plain JavaScript, because it runs before anything of ours is built. Deletes by name only what the compiler makes.
 */

import { existsSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { argv } from 'node:process'

/**
 * @param {string} out
 * @param {string} source
 * @param {string} folder relative to both
 */
function prune(out, source, folder) {
  for (const entry of readdirSync(join(out, folder), { withFileTypes: true })) {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) {
      if (existsSync(join(source, path))) prune(out, source, path)
      else rmSync(join(out, path), { recursive: true })
      continue
    }
    const stem = path.replace(/(?:\.d\.ts|\.js|\.js\.map)$/, '')
    if (stem !== path && !existsSync(join(source, `${stem}.ts`))) rmSync(join(out, path))
  }
}

const [, , out, source] = argv
if (out === undefined || source === undefined) throw new TypeError('usage: node tools/prune.mjs OUT SOURCE')
if (existsSync(out)) prune(out, source, '')
