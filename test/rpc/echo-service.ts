/** A service for tests of what is between a caller and a service: it answers with what it is given. */

import { setTimeout as sleep } from 'node:timers/promises'
import { VarveError } from '../../src/kernel/errors.ts'
import type { Peer, RpcAnswer, RpcRequest, RpcService, RpcSession } from '../../src/rpc/rpc.ts'

export class EchoService implements RpcService {
  readonly name = 'echo'
  readonly roles = ['files'] as const
  readonly seen: string[] = []
  readonly peers: Peer[] = []
  sessionsOpen = 0
  /** Calls of `hold` that run. */
  holding = 0
  #release: (() => void)[] = []

  openSession(peer: Peer): RpcSession {
    this.peers.push(peer)
    this.sessionsOpen++
    return {
      call: (request) => this.#call(request),
      close: () => {
        this.sessionsOpen--
        return Promise.resolve()
      },
    }
  }

  /** Lets every call of `hold` go. */
  release(): void {
    for (const release of this.#release.splice(0)) release()
  }

  async #call({ method, parameters, body, signal }: RpcRequest): Promise<RpcAnswer> {
    this.seen.push(method === 'note' ? String(parameters[0]) : method)
    switch (method) {
      case 'echo':
        return { value: parameters, body }
      case 'bytes':
        return { body: new Uint8Array(parameters[0] as number).fill(7) }
      case 'fail':
        throw new VarveError('TABLE_CORRUPT', 'it is damaged', { details: { file: 'a' }, cause: new Error('bad bit') })
      case 'range':
        throw new RangeError('no such range')
      case 'slow':
        await sleep(parameters[0] as number)
        return {}
      case 'hold': {
        this.holding++
        await new Promise<void>((resolve) => {
          this.#release.push(resolve)
          signal.addEventListener('abort', () => resolve(), { once: true })
        })
        this.holding--
        signal.throwIfAborted()
        return { value: 'released' }
      }
      default:
        return {}
    }
  }
}
