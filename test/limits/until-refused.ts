/** Writes to a database until it is refused, and says how many writes were acknowledged and how it was refused. */

import { VarveError } from '../../src/kernel/errors.ts'
import { open } from '../../src/local.ts'

const [, , directory = ''] = process.argv
const db = await open(directory)
let acknowledged = 0
let refusal: unknown
while (refusal === undefined && acknowledged < 100_000) {
  try {
    await db.put(Buffer.from(`key ${acknowledged}`), Buffer.alloc(1000, acknowledged))
    acknowledged++
  } catch (error) {
    refusal = error
  }
}
await db.close().catch(() => undefined)
process.stdout.write(
  JSON.stringify({ acknowledged, code: refusal instanceof VarveError ? refusal.code : String(refusal) }),
)
