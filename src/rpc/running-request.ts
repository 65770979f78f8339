/** A request whose signal is made when it is asked for, which it seldom is: a controller costs more than many a call. */

import type { VarveError } from '../kernel/errors.ts'
import type { RpcRequest } from './rpc.ts'

export class RunningRequest implements RpcRequest {
  readonly method: string
  readonly parameters: readonly unknown[]
  readonly body: Uint8Array
  #controller: AbortController | undefined
  #reason: VarveError | undefined

  constructor(method: string, parameters: readonly unknown[], body: Uint8Array) {
    this.method = method
    this.parameters = parameters
    this.body = body
  }

  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController()
      if (this.#reason !== undefined) this.#controller.abort(this.#reason)
    }
    return this.#controller.signal
  }

  abort(reason: VarveError): void {
    this.#reason ??= reason
    this.#controller?.abort(reason)
  }
}
