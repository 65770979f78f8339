/** Jobs that know no engine: `verify` reads files and compares their checksums, `copy` gives files another name. */

import { VarveError } from '../kernel/errors.ts'
import { formatHash64 } from '../kernel/hash.ts'
import type { FileRef } from '../kernel/file-ref.ts'
import type { Seqno } from '../kernel/ids.ts'
import { MIB } from '../kernel/limits.ts'
import type { FileReader } from '../fs/fs.ts'
import type { HandlerExport, HandlerReference, JobContext, JobInput, JobOutput, JobResult, JobSpec } from './jobs.ts'

/** The module specifier under which schedulers know these handlers. */
export const STANDARD_HANDLERS = 'varve/jobs/handlers'

/** Names `verify`. */
export const VERIFY: HandlerReference = Object.freeze({ module: STANDARD_HANDLERS, export: 'verify', version: 1 })
/** Names `copy`. */
export const COPY: HandlerReference = Object.freeze({ module: STANDARD_HANDLERS, export: 'copy', version: 1 })

/**
 * Reads every input file wholly; no parameters, no outputs.
 *
 * All files are read even if the first is damaged. Statistics: files, bytes.
 * @throws {VarveError} TABLE_CORRUPT — details: file, expected, actual, and all damaged files; FILE_MISSING
 */
export const verify: HandlerExport = Object.freeze({ version: 1, run: runVerify })

/** The parameters of `copy`. */
export interface CopyParameters {
  /** What the outputs are to say, in the order of the inputs. */
  readonly outputs: readonly CopyLabel[]
}

/** What the manifest is to say of one copy: see `JobOutput`. */
export interface CopyLabel {
  /** The engine's group that the copy belongs to. */
  readonly group: number
  /** Of the oldest operation in it. */
  readonly seqnoFirst: Seqno
  /** Of the newest operation in it. */
  readonly seqnoLast: Seqno
}

/**
 * Copies every input file to a name under the output prefix, with its extension, format and meta. Parameters:
 * `CopyParameters`. Statistics: files, bytes.
 *
 * @throws {VarveError} TABLE_CORRUPT — what was read is not what the reference says; FILE_MISSING, and what writing throws
 */
export const copy: HandlerExport = Object.freeze({ version: 1, run: runCopy })

// Large enough that a read costs more than asking for it, small enough that a pause comes every few milliseconds.
const PIECE_BYTES = 1 * MIB

type FileInput = Extract<JobInput, { type: 'file' }>

async function runVerify(spec: JobSpec, context: JobContext): Promise<JobResult> {
  const inputs = fileInputs(spec)
  const meter = new Meter(inputs, context)
  const problems: VarveError[] = []
  for (const { ref } of inputs) {
    const hash = context.hash.stream64(0n)
    try {
      await readThrough(ref, context, (bytes) => {
        hash.update(bytes)
        meter.add(bytes.length)
      })
      checkChecksum(ref, formatHash64(hash.digest()))
    } catch (error) {
      // Damage is what we look for: see the rest too. Anything else says nothing about the file, so the job fails.
      if (!(error instanceof VarveError) || error.kind !== 'corrupt') throw error
      problems.push(error)
    }
  }
  const [first] = problems
  if (first !== undefined) {
    const damaged = problems.map((problem) => problem.details['file'])
    throw new VarveError(
      first.code,
      `${damaged.length} of ${inputs.length} files are damaged, first: ${first.message}`,
      {
        details: { ...first.details, damaged },
        cause: first,
      },
    )
  }
  return { outputs: [], statistics: meter.statistics() }
}

async function runCopy(spec: JobSpec, context: JobContext): Promise<JobResult> {
  const inputs = fileInputs(spec)
  const labels = (spec.parameters as CopyParameters).outputs
  if (labels.length !== inputs.length)
    throw new RangeError(`copy has ${inputs.length} inputs and ${labels.length} output labels`)
  const meter = new Meter(inputs, context)
  const outputs: JobOutput[] = []
  for (const [index, input] of inputs.entries()) {
    const name = context.outputName(extensionOf(input.ref.name))
    const writer = await context.files.create(name, { expectedBytes: input.ref.bytes, signal: context.signal })
    await readThrough(input.ref, context, async (bytes) => {
      await writer.write(bytes)
      meter.add(bytes.length)
    })
    const ref = await writer.finish()
    checkChecksum(input.ref, ref.checksum)
    const { group, seqnoFirst, seqnoLast } = labels[index] as CopyLabel
    outputs.push({ ref, format: input.format, group, seqnoFirst, seqnoLast, meta: input.meta })
  }
  return { outputs, statistics: meter.statistics() }
}

async function readThrough(
  ref: FileRef,
  context: JobContext,
  visit: (bytes: Uint8Array) => void | Promise<void>,
): Promise<void> {
  const { signal } = context
  const reader: FileReader = await context.files.open(ref, { intent: 'stream', signal })
  try {
    for (let offset = 0; offset < ref.bytes; offset += PIECE_BYTES) {
      await context.pause()
      await visit(await reader.read(offset, Math.min(PIECE_BYTES, ref.bytes - offset), { signal }))
    }
  } finally {
    await reader.close()
  }
}

function checkChecksum(ref: FileRef, actual: string): void {
  if (actual === ref.checksum) return
  throw new VarveError('TABLE_CORRUPT', `file ${ref.name} has checksum ${actual}, its reference says ${ref.checksum}`, {
    details: { file: ref.name, offset: 0, part: 'file', expected: ref.checksum, actual },
  })
}

function fileInputs(spec: JobSpec): readonly FileInput[] {
  return spec.inputs.map((input) => {
    if (input.type !== 'file') throw new TypeError(`${spec.handler.export} takes files, not memory`)
    return input
  })
}

function extensionOf(name: string): string {
  const dot = name.lastIndexOf('.')
  return dot < 0 ? 'copy' : name.slice(dot + 1)
}

/** Counts bytes and tells how far the job is. */
class Meter {
  readonly #context: JobContext
  readonly #files: number
  readonly #total: number
  #bytes = 0

  constructor(inputs: readonly FileInput[], context: JobContext) {
    this.#context = context
    this.#files = inputs.length
    this.#total = inputs.reduce((sum, input) => sum + input.ref.bytes, 0)
  }

  add(bytes: number): void {
    this.#bytes += bytes
    this.#context.progress(this.#bytes / this.#total)
  }

  statistics(): Record<string, number> {
    return { files: this.#files, bytes: this.#bytes }
  }
}
