/** What the threads of a job worker are made of: the files of a directory here, or those behind an address. */

import { LocalFileStore } from '../../fs/local-file-store.ts'
import type { FileStore } from '../../fs/fs.ts'
import { NodeDevice } from '../../fs/node-device.ts'
import { RemoteFileStore } from '../../fs/remote/remote-file-store.ts'
import type { WorkerBasis, WorkerComposition } from '../../jobs/worker-protocol.ts'
import type { Clock } from '../../kernel/clock.ts'
import { RpcClient } from '../../rpc/client.ts'
import { dialSocket } from '../../rpc/socket-transport.ts'
import type { DialOptions } from '../../rpc/socket-transport.ts'
import { SystemClock } from '../../system-clock.ts'
import { SystemRandom } from '../../system-random.ts'

export interface RemoteFilesOptions {
  readonly address: string
  readonly token: string
  readonly dial: DialOptions
}

/** Threads that work on the files of a directory, in the layout of an embedded database. */
export function directoryWorkers(directory: string): WorkerComposition {
  return composition('openDirectory', { directory })
}

/** Threads that work on files elsewhere, each over a connection of its own. */
export function remoteWorkers(options: RemoteFilesOptions): WorkerComposition {
  return composition('openRemote', options)
}

export async function openDirectory(options: unknown, { hash }: WorkerBasis): Promise<FileStore> {
  const { directory } = options as { readonly directory: string }
  return LocalFileStore.open({ device: new NodeDevice(directory), directory: 'files', hash })
}

export function openRemote(options: unknown, { hash, clock }: WorkerBasis): FileStore {
  const { address, token, dial } = options as RemoteFilesOptions
  const client = new RpcClient({ dial: dialSocket(address, dial), token, clock, hash, random: new SystemRandom() })
  return new ThreadFiles({ client })
}

export function openClock(): Clock {
  return new SystemClock()
}

/** Closes its client as well: a thread with an open socket does not end. */
class ThreadFiles extends RemoteFileStore {
  readonly #client: RpcClient

  constructor({ client }: { readonly client: RpcClient }) {
    super({ client })
    this.#client = client
  }

  override async close(): Promise<void> {
    await super.close()
    await this.#client.close()
  }
}

function composition(name: string, options: unknown): WorkerComposition {
  const module = import.meta.url
  return {
    files: { module, export: name, options },
    clock: { module, export: 'openClock' },
    lz4: { module: new URL('../../local-worker.js', module).href, export: 'openLz4' },
    afterJob: { module: new URL('../../local-worker.js', module).href, export: 'giveMemoryBack' },
    handlers: { 'varve/kv/jobs': new URL('../../engines/kv/jobs.js', module).href },
  }
}
