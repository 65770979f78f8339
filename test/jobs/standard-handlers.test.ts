import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import assert from 'node:assert/strict'
import { VarveError } from '../../src/kernel/errors.ts'
import { loadHash } from '../../src/kernel/hash.ts'
import { fileName, seqno } from '../../src/kernel/ids.ts'
import type { FileRef } from '../../src/kernel/file-ref.ts'
import { openTestFiles, systemClock } from './worker-composition.ts'
import { HandlerTable } from '../../src/jobs/handler-table.ts'
import { runJob } from '../../src/jobs/job-run.ts'
import type { JobInput, JobResult, JobSpec } from '../../src/jobs/jobs.ts'
import * as standardHandlers from '../../src/jobs/standard-handlers.ts'
import { COPY, STANDARD_HANDLERS, VERIFY } from '../../src/jobs/standard-handlers.ts'
import { TimeSlices } from '../../src/jobs/time-slices.ts'

const clock = systemClock()
const SIZES = [0, 5, 3 * 1024 * 1024 + 17]

async function withFiles(
  body: (refs: FileRef[], run: (spec: Partial<JobSpec>) => Promise<JobResult>, folder: string) => Promise<void>,
) {
  const folder = mkdtempSync(join(tmpdir(), 'varve-jobs-'))
  const files = await openTestFiles(folder)
  const environment = {
    files,
    hash: await loadHash(),
    clock,
    handlers: new HandlerTable({ [STANDARD_HANDLERS]: standardHandlers }),
    slices: new TimeSlices(clock, 4),
  }
  try {
    const refs: FileRef[] = []
    for (const [index, size] of SIZES.entries()) {
      const writer = await files.create(fileName(`source-${index}.sst`))
      await writer.write(Uint8Array.from({ length: size }, (_, at) => at * 31 + index))
      refs.push(await writer.finish())
    }
    const run = (given: Partial<JobSpec>): Promise<JobResult> =>
      runJob(
        {
          id: 'job',
          attempt: 1,
          handler: VERIFY,
          inputs: refs.map(fileInput),
          parameters: null,
          pinnedSeqnos: [],
          outputPrefix: 'copy-',
          requirements: { memoryBytes: 0, labels: [] },
          priority: 1,
          ...given,
        },
        environment,
        { signal: new AbortController().signal, onProgress: () => undefined },
      )
    await body(refs, run, folder)
  } finally {
    rmSync(folder, { recursive: true })
  }
}

function fileInput(ref: FileRef): JobInput {
  return {
    type: 'file',
    ref,
    format: { name: 'row', version: 1 },
    meta: Uint8Array.of(ref.bytes % 256),
    view: new Uint8Array(0),
  }
}

test('verify reads every file wholly', async () => {
  await withFiles(async (_refs, run) => {
    assert.deepEqual((await run({})).statistics, { files: 3, bytes: SIZES.reduce((a, b) => a + b) })
  })
})

test('verify names every damaged and every missing file', async () => {
  await withFiles(async (refs, run, folder) => {
    const path = join(folder, 'source-2.sst')
    const content = readFileSync(path)
    content[content.length - 1] = (content.at(-1) as number) ^ 1
    writeFileSync(path, content)
    rmSync(join(folder, 'source-1.sst'))
    const error = await run({}).then(
      () => undefined,
      (reason: unknown) => reason,
    )
    assert.ok(error instanceof VarveError)
    assert.equal(error.code, 'FILE_MISSING')
    assert.deepEqual(error.details['damaged'], ['source-1.sst', 'source-2.sst'])
    const corrupt = await run({ inputs: refs.slice(2).map(fileInput) }).then(
      () => undefined,
      (reason: unknown) => reason,
    )
    assert.ok(corrupt instanceof VarveError)
    assert.equal(corrupt.code, 'TABLE_CORRUPT')
    assert.equal(corrupt.details['expected'], refs[2]?.checksum)
  })
})

test('copies have the content, format, meta and labels they were to have', async () => {
  await withFiles(async (refs, run, folder) => {
    const outputs = SIZES.map((_, index) => ({
      group: index,
      seqnoFirst: seqno(index + 1),
      seqnoLast: seqno(index + 5),
    }))
    const copied = await run({ handler: COPY, parameters: { outputs } })
    for (const [index, output] of copied.outputs.entries()) {
      assert.equal(output.ref.name, `copy-${index}.sst`)
      assert.deepEqual(readFileSync(join(folder, output.ref.name)), readFileSync(join(folder, `source-${index}.sst`)))
      assert.equal(output.ref.checksum, refs[index]?.checksum)
      assert.deepEqual(output.meta, Uint8Array.of((SIZES[index] as number) % 256))
      assert.deepEqual([output.group, output.seqnoFirst, output.seqnoLast], [index, index + 1, index + 5])
    }
    assert.equal(copied.outputs.length, 3)
  })
})

test('a copy of damaged content is refused', async () => {
  await withFiles(async (refs, run, folder) => {
    writeFileSync(join(folder, 'source-1.sst'), 'wrong')
    const label = { group: 0, seqnoFirst: seqno(1), seqnoLast: seqno(1) }
    const copied = run({ handler: COPY, inputs: refs.slice(1, 2).map(fileInput), parameters: { outputs: [label] } })
    await assert.rejects(copied, (error) => error instanceof VarveError && error.code === 'TABLE_CORRUPT')
  })
})

test('memory images and missing labels are wrong arguments', async () => {
  await withFiles(async (_refs, run) => {
    await assert.rejects(run({ inputs: [{ type: 'memory', image: null }] }), TypeError)
    await assert.rejects(run({ handler: COPY, parameters: { outputs: [] } }), RangeError)
  })
})
