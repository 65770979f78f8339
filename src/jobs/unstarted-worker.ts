/** Why a worker thread could not begin: of what the system refuses, Node says only the number, and of whom it was asked nothing. */

import { VarveError } from '../kernel/errors.ts'

/** What to fail a job with, of the `error` of a thread; `error` itself where the thread had begun. */
export function unstartedWorker(error: unknown): unknown {
  if (!(error instanceof Error) || !('code' in error) || error.code !== 'ERR_WORKER_INIT_FAILED') return error
  const remedy = "raise the limit of this process, or open with jobs: 'inline'"
  if (!/EMFILE|ENFILE/.test(error.message))
    return new Error(`no worker thread can begin (${error.message}), for want of threads or memory: ${remedy}`, {
      cause: error,
    })
  return new VarveError('OUT_OF_FILES', `no worker thread can begin (${error.message}), for want of files: ${remedy}`, {
    cause: error,
    details: { operation: 'begin a thread' },
  })
}
