/** `varve/remote-workers`: threads of this process that work on files behind an address, each over a connection of its own. */

import { RemoteFileStore } from './fs/remote/remote-file-store.ts'
import type { WorkerBasis, WorkerComposition } from './jobs/worker-protocol.ts'
import { threadsOver } from './local-worker.ts'
import { RpcClient } from './rpc/client.ts'
import { CredentialFiles } from './rpc/credential-files.ts'
import type { CredentialPaths } from './rpc/credential-files.ts'
import { dialSocket } from './rpc/socket-transport.ts'
import type { DialOptions } from './rpc/socket-transport.ts'
import { SystemRandom } from './system-random.ts'

/** Where the files are, and what is shown there. */
export interface RemoteWorkersOptions {
  /** Of a server with files, such as `tls://files.example.org:4100`. */
  readonly address: string
  /** Shown to it, as it is when a thread starts. Default: none. */
  readonly token?: string
  /** Authorities and identity, where the address begins with `tls:`. Default: authorities of the system, no identity. */
  readonly dial?: DialOptions
  /** Files with both, read again for each connection, in the place of `token` and `dial`. Default: none. */
  readonly credentials?: CredentialPaths
  /** URLs of modules with job handlers, by the names that jobs call them. Default: those of the key-value engine. */
  readonly handlers?: Readonly<Record<string, string>>
}

/**
 * What the threads of a `WorkerScheduler` are made of where the files are elsewhere: for flushes of a shard whose memtables are here,
 * which would hold the event loop on an `InlineScheduler`, and for the workers of a machine of its own.
 *
 * @throws {RangeError} no address; {TypeError} certificates that are none: here, and not on a thread that nobody sees
 */
export function remoteWorkers(options: RemoteWorkersOptions): WorkerComposition {
  const { address, token = '', dial = {}, credentials, handlers = KV_HANDLER_URLS } = options
  void dialSocket(address, dial)
  if (credentials !== undefined && (options.token !== undefined || options.dial !== undefined))
    throw new TypeError('credentials are files in the place of token and dial: give either')
  const paths = credentials === undefined ? undefined : new CredentialFiles(credentials).paths
  const given: ThreadOptions = { address, token, dial, paths }
  return threadsOver({ module: import.meta.url, export: 'openFiles', options: given }, handlers)
}

interface ThreadOptions extends Required<Pick<RemoteWorkersOptions, 'address' | 'token' | 'dial'>> {
  readonly paths: CredentialPaths | undefined
}

/** Where threads find the handlers of the key-value engine. */
export const KV_HANDLER_URLS = Object.freeze({ 'varve/kv/jobs': new URL('./engines/kv/jobs.js', import.meta.url).href })

/** A `FileStoreFactory`: called on a thread. */
export function openFiles(options: unknown, { hash, clock }: WorkerBasis): RemoteFileStore {
  const { address, token, dial, paths } = options as ThreadOptions
  const shown = paths === undefined ? { token, dial } : new CredentialFiles(paths)
  const client = new RpcClient({
    dial: dialSocket(address, shown.dial),
    token: shown.token,
    clock,
    hash,
    random: new SystemRandom(),
  })
  return new ThreadFiles({ client })
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
