/** What the threads of a job server are made of: the files of a directory here, in the layout of an embedded database. */

import type { WorkerComposition } from '../../jobs/worker-protocol.ts'

export function directoryWorkers(directory: string): WorkerComposition {
  const module = new URL('../../local-worker.js', import.meta.url).href
  return {
    files: { module, export: 'openFiles', options: { directory } },
    clock: { module, export: 'openClock' },
    lz4: { module, export: 'openLz4' },
    afterJob: { module, export: 'giveMemoryBack' },
    handlers: { 'varve/kv/jobs': new URL('../../engines/kv/jobs.js', import.meta.url).href },
  }
}
