/** A wrapper of file stores that writes down every call, and on which thread it came: for encryption.test.ts. */

import { appendFileSync } from 'node:fs'
import { isMainThread } from 'node:worker_threads'
import { TracedFileStore } from '../src/fs/traced-stores.ts'
import type { FileStoreWrapper } from '../src/jobs/worker-protocol.ts'

export const keepDiary: FileStoreWrapper = (inner, options, { clock }) => {
  const { path } = options as { readonly path: string }
  const thread = isMainThread ? 'main' : 'worker'
  return new TracedFileStore(inner, {
    clock,
    sink: ({ operation, name }) => appendFileSync(path, `${thread} ${operation} ${name}\n`),
  })
}
