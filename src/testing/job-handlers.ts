/**
 * `varve/testing/job-handlers`: handlers for the conformance suite of job schedulers, one for everything a handler may do,
 * and for what it should not.
 *
 * They talk to the suite through files only, so that they may run anywhere. An entry point of its own, so that a worker
 * finds them by the specifier that the suite's jobs name.
 */

import { VarveError } from '../kernel/errors.ts'
import { fileName, SEQNO_ZERO } from '../kernel/ids.ts'
import type { FileName } from '../kernel/ids.ts'
import type { HandlerExport, HandlerReference, JobContext, JobHandler, JobOutput, JobResult } from '../jobs/jobs.ts'

/** The module specifier under which the scheduler under test must know these handlers. */
export const TEST_HANDLERS = 'varve/testing/job-handlers'

/** Names the handler of this module that is exported as `name`. */
export function testHandler(name: string): HandlerReference {
  return { module: TEST_HANDLERS, export: name, version: 1 }
}

const NOTHING: JobResult = { outputs: [], statistics: {} }

/** Writes every string of `parameters` to an output of its own. */
export const write = handler(async (spec, context) => {
  const outputs: JobOutput[] = []
  for (const text of spec.parameters as readonly string[]) outputs.push(await writeOutput(context, text))
  return { outputs, statistics: { files: outputs.length } }
})

/** Says how many files there are with the prefix `parameters`, and writes an output. */
export const place = handler(async (spec, context) => {
  const { length } = await context.files.list(spec.parameters as string)
  return { outputs: [await writeOutput(context, 'placed')], statistics: { place: length } }
})

/** Writes an output to say that it runs, and waits for the file named by `parameters`. */
export const wait = handler(async (spec, context) => {
  const outputs = [await writeOutput(context, 'running')]
  while ((await context.files.list(spec.parameters as string)).length === 0) {
    await context.pause()
    await context.clock.turn()
  }
  return { outputs, statistics: {} }
})

/** Writes an output to say that it runs, computes until cancelled, and after 20 turns writes another. */
export const endless = handler(async (_spec, context) => {
  await writeOutput(context, 'running')
  try {
    for (;;) await context.pause()
  } finally {
    for (let turn = 0; turn < 20; turn++) await context.clock.turn()
    await writeOutput(context, 'ended')
  }
})

/** Computes for `parameters` milliseconds without a pause. */
export const spin = handler(async (spec, context) => {
  const limit = context.clock.monotonic() + (spec.parameters as number)
  while (context.clock.monotonic() < limit);
  return NOTHING
})

/** Computes for `parameters` milliseconds with pauses. */
export const compute = handler(async (spec, context) => {
  const limit = context.clock.monotonic() + (spec.parameters as number)
  while (context.clock.monotonic() < limit) await context.pause()
  return NOTHING
})

/** Adds up the bytes of its one memory image and writes 42 over the first. */
export const sum = handler(async (spec) => {
  const [input] = spec.inputs
  if (input?.type !== 'memory') throw new TypeError('sum takes a memory image')
  const bytes = input.image as Uint8Array
  const total = bytes.reduce((so_far, byte) => so_far + byte, 0)
  bytes[0] = 42
  return { outputs: [], statistics: { total } }
})

/** Reports every number of `parameters` as progress, and waits after each for a file `<gate><index>`. */
export const steps = handler(async (spec, context) => {
  const { fractions, gate } = spec.parameters as { fractions: readonly number[]; gate: string }
  for (const [index, fraction] of fractions.entries()) {
    context.progress(fraction)
    while ((await context.files.list(`${gate}${index}`)).length === 0) {
      await context.pause()
      await context.clock.turn()
    }
  }
  return NOTHING
})

/** Throws a `VarveError` with the code TABLE_CORRUPT. */
export const fail = handler(async () => {
  throw new VarveError('TABLE_CORRUPT', 'the block is damaged', { details: { file: 'a.sst', offset: 7 } })
})

/** Throws before it returns a promise. */
export const failAtOnce = handler(() => {
  throw new RangeError('no promise')
})

/** Throws with one file unfinished and one reader open. */
export const leave = handler(async (_spec, context) => {
  const finished = await writeOutput(context, 'finished')
  await context.files.open(finished.ref)
  const writer = await context.files.create(context.outputName('txt'))
  await writer.write(new Uint8Array(10))
  throw new Error('left everything as it was')
})

/** Creates a file with the name `parameters`. */
export const trespass = handler(async (spec, context) => {
  await context.files.create(fileName(spec.parameters as string))
  return NOTHING
})

/** Removes the file with the name `parameters`. */
export const erase = handler(async (spec, context) => {
  await context.files.remove([spec.parameters as FileName])
  return NOTHING
})

/** Says it wrote the file `parameters`. */
export const claim = handler(async (spec) => {
  const ref = { name: spec.parameters as FileName, bytes: 3, checksum: '0'.repeat(16) }
  const output = {
    ref,
    format: { name: 'text', version: 1 },
    group: 0,
    seqnoFirst: SEQNO_ZERO,
    seqnoLast: SEQNO_ZERO,
    meta: new Uint8Array(0),
  }
  return { outputs: [output], statistics: {} }
})

/** Changes its parameters, an array. */
export const meddle = handler(async (spec) => {
  ;(spec.parameters as string[]).push('changed')
  return NOTHING
})

/** Answers with something that is not data. */
export const answerCode = handler(async () => ({ outputs: [], statistics: { code: (() => 1) as unknown as number } }))

/** Leaves a rejected promise to nobody, and never ends. */
export const stray = handler(async () => {
  void Promise.reject(new Error('nobody listens'))
  return new Promise<JobResult>(() => undefined)
})

function handler(run: JobHandler): HandlerExport {
  return Object.freeze({ version: 1, run })
}

async function writeOutput(context: JobContext, text: string): Promise<JobOutput> {
  const writer = await context.files.create(context.outputName('txt'))
  // The meta is a view of something larger, as it often is.
  const bytes = new TextEncoder().encode(`<${text}>`)
  await writer.write(bytes.subarray(1, bytes.length - 1))
  const ref = await writer.finish()
  return {
    ref,
    format: { name: 'text', version: 1 },
    group: 0,
    seqnoFirst: SEQNO_ZERO,
    seqnoLast: SEQNO_ZERO,
    meta: bytes.subarray(1, 2),
  }
}
