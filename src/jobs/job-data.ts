/**
 * Specs and results as they cross to another thread: checked plain data, without memory that does not belong to them.
 *
 * Copying a view copies all the memory behind it: a 20-byte key range cut out of an 8 MiB manifest would take the whole
 * manifest along. So small byte strings get memory of their own first.
 *
 * Chunks of shared memory are sent with every job rather than named: 128 of them add 0.1 ms to a round trip of 0.15, and
 * the flush of as many takes a hundred times as long.
 */

import { VarveError } from '../kernel/errors.ts'
import type { JobFiles } from './job-files.ts'
import type { JobInput, JobOutput, JobResult, JobSpec } from './jobs.ts'

/** `spec`, ready for a structured clone. Memory images stay what they are: their large parts are shared. */
export function portableSpec(spec: JobSpec): JobSpec {
  return { ...spec, inputs: spec.inputs.map(portableInput) }
}

function portableInput(input: JobInput): JobInput {
  return input.type === 'file' ? { ...input, meta: ownBytes(input.meta), view: ownBytes(input.view) } : input
}

/**
 * What a handler answered, ready for a structured clone.
 *
 * @throws {VarveError} JOB_REJECTED — not the shape of a result, or a file the job did not create
 */
export function portableResult(answer: unknown, files: JobFiles): JobResult {
  if (!isObject(answer) || !Array.isArray(answer['outputs']) || !isObject(answer['statistics'])) {
    throw rejected('the handler answered something other than { outputs, statistics }')
  }
  const result = answer as unknown as JobResult
  return {
    outputs: result.outputs.map((output) => portableOutput(output, files)),
    statistics: { ...result.statistics },
  }
}

function portableOutput(output: JobOutput, files: JobFiles): JobOutput {
  if (!isObject(output) || !isObject(output.ref) || !(output.meta instanceof Uint8Array))
    throw rejected('an output has no file or no meta')
  if (!files.created(output.ref.name)) throw rejected(`output ${output.ref.name} was not created by this job`)
  return { ...output, meta: ownBytes(output.meta) }
}

function ownBytes(bytes: Uint8Array): Uint8Array {
  const alone = bytes.byteLength === bytes.buffer.byteLength && bytes.buffer instanceof ArrayBuffer
  return alone ? bytes : new Uint8Array(bytes)
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null
}

function rejected(reason: string): VarveError {
  return new VarveError('JOB_REJECTED', reason, { details: { reason } })
}
