/**
 * `node --import build/tools/sometimes/count-errors.js …`: counts, in every thread, the errors of each code that are made,
 * and writes them to the directory `VARVE_ERROR_COUNTS` when it ends. Making one looks its kind up: that is what is counted.
 */

import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { env, hrtime, pid } from 'node:process'
import { threadId } from 'node:worker_threads'
import { ERROR_KINDS } from '../../src/kernel/errors.ts'

const directory = env['VARVE_ERROR_COUNTS']
if (directory !== undefined) {
  const counts: Record<string, number> = {}
  for (const [code, kind] of Object.entries(ERROR_KINDS)) {
    const get = (): string => {
      counts[code] = (counts[code] ?? 0) + 1
      return kind
    }
    Object.defineProperty(ERROR_KINDS, code, { get, enumerable: true })
  }
  process.on('exit', () => {
    mkdirSync(directory, { recursive: true })
    writeFileSync(join(directory, `${pid}-${threadId}-${hrtime.bigint()}.json`), JSON.stringify(counts))
  })
}
