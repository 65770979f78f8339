/** Specs and results on the wire: plain data, looked at before it is believed. */

import { VarveError } from '../../kernel/errors.ts'
import { MIB } from '../../kernel/limits.ts'
import { MessageCodec } from '../../rpc/message.ts'
import type { JobResult, JobSpec } from '../jobs.ts'

/** A merge of 50,000 tables, of 300 bytes each. */
const JOB_BYTES_MAX = 16 * MIB

// As `formatHash64` makes it.
const CHECKSUM = /^[0-9a-f]{16}$/

const codec = (): MessageCodec => new MessageCodec(JOB_BYTES_MAX)

export function encodeSpec(spec: JobSpec): Uint8Array {
  return codec().encode(spec)
}

/** @throws {VarveError} LIMIT_EXCEEDED — no spec */
export function decodeSpec(bytes: Uint8Array): JobSpec {
  const spec = codec().decode(bytes)?.value
  if (isSpec(spec)) return spec
  throw new VarveError('LIMIT_EXCEEDED', 'that is no job', { details: { what: 'job' } })
}

export function encodeResult(result: JobResult): Uint8Array {
  return codec().encode(result)
}

/** @throws {VarveError} JOB_REJECTED */
export function decodeResult(bytes: Uint8Array): JobResult {
  const result = codec().decode(bytes)?.value
  if (isResult(result)) return result
  throw new VarveError('JOB_REJECTED', 'that is no result of a job', { details: { reason: 'no result' } })
}

function isSpec(value: unknown): value is JobSpec {
  if (!isRecord(value)) return false
  const { id, attempt, handler, inputs, pinnedSeqnos, outputPrefix, requirements, priority, stuckMs } = value
  if (typeof id !== 'string' || typeof attempt !== 'number' || typeof outputPrefix !== 'string') return false
  if (!isRecord(handler) || typeof handler['module'] !== 'string' || typeof handler['export'] !== 'string') return false
  if (!Array.isArray(inputs) || !inputs.every((input) => isRecord(input) && input['type'] === 'file')) return false
  if (!Array.isArray(pinnedSeqnos) || typeof priority !== 'number' || !isRecord(requirements)) return false
  if (!(stuckMs === undefined || (typeof stuckMs === 'number' && stuckMs >= 0))) return false
  return typeof requirements['memoryBytes'] === 'number' && Array.isArray(requirements['labels'])
}

function isResult(value: unknown): value is JobResult & Record<string, unknown> {
  if (!isRecord(value) || !isRecord(value['statistics'])) return false
  return Array.isArray(value['outputs']) && value['outputs'].every(isOutput)
}

/** What its numbers mean is looked at by whoever gave the job. */
function isOutput(value: unknown): boolean {
  if (!isRecord(value) || !isRecord(value['ref']) || !isRecord(value['format'])) return false
  const { ref, format, meta } = value
  const { name, bytes, checksum } = ref
  if (typeof name !== 'string' || typeof bytes !== 'number' || typeof checksum !== 'string') return false
  if (!CHECKSUM.test(checksum) || !(meta instanceof Uint8Array)) return false
  return typeof format['name'] === 'string' && typeof format['version'] === 'number'
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null
}
