/** A broker for others: what shards submit to (`jobs`), and what workers pull from (`worker`). */

import { decodeError, encodeError } from '../../kernel/error-wire.ts'
import { VarveError } from '../../kernel/errors.ts'
import { checkFileName, checkShard } from '../../rpc/access.ts'
import { Parameters } from '../../rpc/parameters.ts'
import type { Grant, Peer, RpcAnswer, RpcRequest, RpcService, RpcSession } from '../../rpc/rpc.ts'
import type { JobOutcome } from './brokered-job.ts'
import type { JobBroker } from './job-broker.ts'
import { WorkerPulls } from './worker-pulls.ts'
import { decodeResult, decodeSpec, encodeResult, encodeSpec } from '../wire/job-wire.ts'

export const JOB_SERVICE = 'jobs'
export const WORKER_SERVICE = 'worker'

/** Takes jobs for a broker, cancels them and gives answers. A client sees the shards that it may touch. */
export class JobService implements RpcService {
  /** As clients ask for it. */
  readonly name = JOB_SERVICE
  readonly roles = ['jobs'] as const
  readonly #broker: JobBroker

  constructor({ broker }: { readonly broker: JobBroker }) {
    this.#broker = broker
  }

  openSession({ grant }: Peer): RpcSession {
    const broker = this.#broker
    /** What this connection waits for. */
    const keys = new Set<string>()
    return {
      call: (request) => submitted(broker, grant, keys, request),
      close: () => {
        for (const key of keys) broker.leave(key, keys)
        return Promise.resolve()
      },
    }
  }
}

async function submitted(
  broker: JobBroker,
  grant: Grant,
  keys: Set<string>,
  { method, parameters, body }: RpcRequest,
): Promise<RpcAnswer> {
  const given = new Parameters(parameters)
  const shard = given.text(0)
  checkShard(grant, shard)
  const key = `${shard}/${given.text(1)}`
  switch (method) {
    case 'submit': {
      const spec = decodeSpec(body)
      checkFileName(grant, spec.outputPrefix)
      for (const input of spec.inputs) if (input.type === 'file') checkFileName(grant, input.ref.name)
      keys.add(key)
      const outcome = await broker.submit(key, shard, spec, keys, given.optionalCount(2) ?? 0).outcome
      keys.delete(key)
      return answerOf(outcome)
    }
    case 'await': {
      // Cancelled meanwhile: it is not begun anew where it is not known, and its end is waited for where it is.
      const job = broker.find(key)
      return job === undefined ? answerOf({ type: 'not-begun' }) : answerOf(await job.outcome)
    }
    case 'progress':
      return { value: broker.find(key)?.progress ?? 0 }
    case 'cancel':
      broker.cancel(key)
      return {}
    default:
      throw new VarveError('UNSUPPORTED', `jobs have no ${method}`, { details: { capability: method } })
  }
}

function answerOf(outcome: JobOutcome): RpcAnswer {
  // What a handler throws is an answer: it says nothing about this call.
  if (outcome.type === 'done') return { value: ['done'], body: encodeResult(outcome.result) }
  if (outcome.type === 'not-begun') return { value: ['not-begun'] }
  const { stack: _stack, ...error } = encodeError(outcome.error)
  return { value: ['failed', error] }
}

/** Gives a broker's jobs to workers. One gets those of the shards that it may touch. */
export class WorkerService implements RpcService {
  /** As workers ask for it. */
  readonly name = WORKER_SERVICE
  readonly roles = ['worker'] as const
  readonly #broker: JobBroker
  readonly #pulls: WorkerPulls

  constructor({ broker }: { readonly broker: JobBroker }) {
    this.#broker = broker
    this.#pulls = new WorkerPulls(broker)
  }

  openSession({ grant }: Peer): RpcSession {
    const session: RpcSession = {
      call: (request) => this.#call(request, grant, session),
      close: () => {
        this.#broker.part(session)
        return Promise.resolve()
      },
    }
    return session
  }

  async #call(
    { method, parameters, body, signal }: RpcRequest,
    { shards }: Grant,
    session: object,
  ): Promise<RpcAnswer> {
    const given = new Parameters(parameters)
    switch (method) {
      case 'pull': {
        const offer = { urgentOnly: given.flag(0), memoryBytes: given.count(1), labels: given.texts(2), shards }
        const job = await this.#pulls.pull(given.text(3), offer, signal)
        if (job === undefined) return {}
        this.#broker.hold(job.lease, session)
        // It went while it was given the job.
        if (signal.aborted) this.#broker.part(session)
        return { value: [job.lease, job.leaseMs], body: encodeSpec(job.spec) }
      }
      case 'renew': {
        const fraction = given.any(1)
        this.#broker.hold(given.text(0), session)
        return { value: this.#broker.renew(given.text(0), typeof fraction === 'number' ? fraction : 0) }
      }
      case 'watch':
        // Again on every connection that it makes.
        this.#broker.hold(given.text(0), session)
        await this.#broker.watch(given.text(0))
        return {}
      case 'done':
        this.#broker.finish(given.text(0), { result: decodeResult(body) })
        return {}
      case 'failed':
        this.#broker.finish(given.text(0), { error: decodeError(given.any(1)) })
        return {}
      default:
        throw new VarveError('UNSUPPORTED', `workers have no ${method}`, { details: { capability: method } })
    }
  }
}
