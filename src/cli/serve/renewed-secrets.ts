/** Tokens and certificates of a server that runs, read again: what cannot be read, or is none, changes nothing. */

import type { RpcServer } from '../../rpc/server.ts'
import type { SocketListening } from '../../rpc/socket-transport.ts'
import type { Output } from '../output.ts'
import type { ServedSecrets } from './served-secrets.ts'

export class RenewedSecrets {
  /** Of the server. */
  readonly listeners: SocketListening[] = []
  readonly #server: RpcServer
  readonly #output: Output
  /** One after the other: the last to be asked for is what counts. */
  #renewing: Promise<void> = Promise.resolve()

  constructor(server: RpcServer, output: Output) {
    this.#server = server
    this.#output = output
  }

  /** Takes what `read` gives, and says so. */
  renew(read: () => Promise<ServedSecrets>): void {
    this.#renewing = this.#renewing.then(() => this.#renew(read))
  }

  async #renew(read: () => Promise<ServedSecrets>): Promise<void> {
    let ended: number
    try {
      const { access, listening } = await read()
      // Certificates first: who is sent away by the rules dials again, and is to find both.
      for (const listener of this.listeners) listener.replaceTls(listening)
      ended = this.#server.replaceAccess(access)
    } catch (error) {
      this.#output.note(`varve: tokens and certificates stay as they were: ${(error as Error).message}`)
      return
    }
    const others = ended === 0 ? '' : `: ${ended} ${ended === 1 ? 'connection has' : 'connections have'} ended`
    this.#output.note(`varve: tokens and certificates were read again${others}`)
  }
}
