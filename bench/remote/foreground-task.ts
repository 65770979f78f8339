/** One measurement of compaction, in a process of its own: what was compiled and collected for another is not its business. */

import { argv } from 'node:process'
import { openComposition } from './compositions.ts'
import type { OpenRequest } from './compositions.ts'
import { measureForeground } from './measurements.ts'
import { loadVarve } from './varve-modules.ts'

const [request = '', seconds = ''] = argv.slice(2)
const db = await openComposition(await loadVarve(), JSON.parse(request) as OpenRequest)
try {
  console.log(JSON.stringify(await measureForeground(db, Number(seconds))))
} finally {
  await db.close()
}
