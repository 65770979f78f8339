/** Where the record of what was ingested is: beside the shard's own files, in a name no shard uses. */

import { join } from 'node:path'

export function ledgerPath(data: string): string {
  return join(data, 'varve-demo.ledger')
}
