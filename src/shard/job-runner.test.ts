import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isCode, VarveError } from '../kernel/errors.ts'
import { loadHash } from '../kernel/hash.ts'
import { epoch, fileName, seqno, shardId } from '../kernel/ids.ts'
import { MemoryFileStore } from '../fs/memory-file-store.ts'
import type { JobHandle, JobResult, JobScheduler, JobSpec } from '../jobs/jobs.ts'
import { SimulatedClock } from '../testing/simulated-clock.ts'
import { jobName } from './file-names.ts'
import { JobRunner } from './job-runner.ts'
import type { AnsweredJob, JobPlan, ShardComponents, VersionFile } from './shard.ts'

/** A scheduler whose jobs end when the test says so. */
class HandScheduler implements JobScheduler {
  readonly name = 'hand'
  supports = { sharedMemory: true }
  readonly jobs: { readonly spec: JobSpec; answer(result: JobResult): void; fail(error: unknown): void }[] = []
  readonly cancelled: string[] = []
  readonly pendingMax = 100
  pending = 0

  submit(spec: JobSpec): JobHandle {
    const { promise, resolve, reject } = deferred<JobResult>()
    promise.catch(() => undefined)
    this.jobs.push({ spec, answer: resolve, fail: reject })
    const cancel = (): void => {
      this.cancelled.push(spec.id)
      reject(new VarveError('ABORTED', 'cancelled', { details: {} }))
    }
    return { id: spec.id, result: promise, progress: () => 0, cancel }
  }

  ready(): Promise<void> {
    return Promise.resolve()
  }

  close(): Promise<void> {
    return Promise.resolve()
  }
}

interface Deferred<Value> {
  readonly promise: Promise<Value>
  readonly resolve: (value: Value) => void
  readonly reject: (error: unknown) => void
}

function deferred<Value>(): Deferred<Value> {
  let settle: Pick<Deferred<Value>, 'resolve' | 'reject'> | undefined
  const promise = new Promise<Value>((resolve, reject) => (settle = { resolve, reject }))
  return { promise, ...(settle as unknown as Pick<Deferred<Value>, 'resolve' | 'reject'>) }
}

const SHARD = shardId('s')
const MAKER = { epoch: epoch(1), owner: 'us' }

const plan: JobPlan = {
  handler: { module: 'm', export: 'e', version: 1 },
  inputs: [],
  parameters: undefined,
  requirements: { memoryBytes: 0, labels: [] },
  priority: 1,
}

async function bench(verify: (jobs: readonly AnsweredJob[]) => Promise<void> = () => Promise.resolve()): Promise<{
  readonly scheduler: HandScheduler
  readonly files: MemoryFileStore
  readonly clock: SimulatedClock
  readonly run: (count: number) => Promise<readonly VersionFile[]>
  /** Writes an output of a job, and its answer. */
  readonly result: (job: number) => Promise<JobResult>
}> {
  const files = new MemoryFileStore({ hash: await loadHash() })
  const scheduler = new HandScheduler()
  const clock = new SimulatedClock()
  const components = { shard: SHARD, files, clock, jobs: scheduler } as unknown as ShardComponents
  const runner = new JobRunner(components, MAKER, verify)
  return {
    scheduler,
    files,
    clock,
    run: (count) =>
      runner.run(
        Array.from({ length: count }, () => plan),
        [],
      ),
    result: async (job) => {
      const prefix = scheduler.jobs[job]?.spec.outputPrefix ?? ''
      const writer = await files.create(fileName(`${prefix}0.table`))
      await writer.write(Uint8Array.of(job))
      const ref = await writer.finish()
      const output = { ref, format: { name: 'f', version: 1 }, group: job, meta: new Uint8Array(0) }
      return { outputs: [{ ...output, seqnoFirst: seqno(1), seqnoLast: seqno(1) }], statistics: {} }
    },
  }
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

test('the files of several jobs count together, in the order of the plans, whichever ends first', async () => {
  let asked: readonly AnsweredJob[] = []
  const { scheduler, run, result } = await bench((jobs) => ((asked = jobs), Promise.resolve()))
  const running = run(3)
  await turn()
  assert.equal(scheduler.jobs.length, 3, 'all are under way at the same time')
  for (const job of [2, 0, 1]) scheduler.jobs[job]?.answer(await result(job))
  assert.deepEqual(
    (await running).map(({ group }) => group),
    [0, 1, 2],
  )
  assert.deepEqual(
    asked.map(({ spec }) => spec.id),
    scheduler.jobs.map(({ spec }) => spec.id),
  )
})

// Each failed flush to a silent S3 store waited a minute more for a list of what it had left there.
test('a failed job is told within seconds where what it left cannot be removed', async () => {
  const { scheduler, files, clock, run, result } = await bench()
  const running = run(1)
  await turn()
  await result(0)
  const list = files.list.bind(files)
  const silence = deferred<undefined>()
  files.list = (prefix) => silence.promise.then(() => list(prefix))
  scheduler.jobs[0]?.fail(new VarveError('JOB_FAILED', 'broken', { details: { job: 'x', attempt: 1 } }))
  const told = assert.rejects(running, (error) => isCode(error, 'JOB_FAILED'))
  await turn()
  clock.advance(5_000)
  await told
  silence.resolve(undefined)
  await turn()
  files.list = list
  assert.deepEqual(await files.list(), [])
})

test('who hears of a failed job begins another attempt with the space of what it left', async () => {
  const { scheduler, files, run, result } = await bench()
  const running = run(1)
  await turn()
  await result(0)
  const remove = files.remove.bind(files)
  const removal = deferred<undefined>()
  files.remove = (names) => removal.promise.then(() => remove(names))
  scheduler.jobs[0]?.fail(new VarveError('JOB_FAILED', 'broken', { details: { job: 'x', attempt: 1 } }))
  let isTold = false
  const told = assert.rejects(running, (error) => isCode(error, 'JOB_FAILED')).then(() => (isTold = true))
  await turn()
  assert.equal(isTold, false)
  removal.resolve(undefined)
  await told
  assert.deepEqual(await files.list(), [])
})

test('when one job of several fails the others are cancelled, and nothing of any is left', async () => {
  const { scheduler, files, run, result } = await bench()
  const running = run(3)
  await turn()
  scheduler.jobs[0]?.answer(await result(0))
  await result(2)
  scheduler.jobs[1]?.fail(new VarveError('JOB_FAILED', 'broken', { details: { job: 'x', attempt: 1 } }))
  await assert.rejects(running, (error) => isCode(error, 'JOB_FAILED'))
  assert.ok(scheduler.cancelled.includes(scheduler.jobs[2]?.spec.id ?? ''))
  assert.deepEqual(await files.list(), [])
})

test('what the engine rejects of several jobs leaves nothing either', async () => {
  const { scheduler, files, run, result } = await bench(() =>
    Promise.reject(new VarveError('JOB_REJECTED', 'no', { details: { reason: 'no' } })),
  )
  const running = run(2)
  await turn()
  for (const job of [0, 1]) scheduler.jobs[job]?.answer(await result(job))
  await assert.rejects(running, (error) => isCode(error, 'JOB_REJECTED'))
  assert.deepEqual(await files.list(), [])
})

test('an answer whose files are not those of its attempt is not believed', async () => {
  const changes: readonly ((outputs: JobResult['outputs']) => JobResult['outputs'])[] = [
    ([output]) => [named(output, `${jobName(SHARD, MAKER, 1)}-a2-0.table`)],
    ([output]) => [named(output, `${jobName(SHARD, MAKER, 11)}-a1-0.table`)],
    ([output]) => [named(output, `${jobName(SHARD, { ...MAKER, owner: 'another' }, 1)}-a1-0.table`)],
    ([output]) => [named(output, 'main.table')],
    ([output]) => [output, output].flatMap((each) => each ?? []),
    ([output]) => (output === undefined ? [] : [{ ...output, ref: { ...output.ref, bytes: 0 } }]),
    ([output]) => (output === undefined ? [] : [{ ...output, seqnoFirst: seqno(2) }]),
  ]
  for (const [number, change] of changes.entries()) {
    const { scheduler, files, run, result } = await bench()
    const running = run(1)
    await turn()
    const { outputs, statistics } = await result(0)
    scheduler.jobs[0]?.answer({ outputs: change(outputs), statistics })
    await assert.rejects(running, (error) => isCode(error, 'JOB_REJECTED'), `change ${number}`)
    assert.deepEqual(await files.list(), [])
  }
})

function named(output: JobResult['outputs'][number] | undefined, name: string): JobResult['outputs'][number] {
  assert.ok(output !== undefined)
  return { ...output, ref: { ...output.ref, name: fileName(name) } }
}

test('files that a job elsewhere has written have to be where those of its shard are, in full length', async () => {
  for (const isThere of [false, true]) {
    const { scheduler, files, run, result } = await bench()
    scheduler.supports = { sharedMemory: false }
    const running = run(1)
    await turn()
    const { outputs, statistics } = await result(0)
    const [output] = outputs
    assert.ok(output !== undefined)
    if (!isThere) await files.remove([output.ref.name])
    const longer = { ...output, ref: { ...output.ref, bytes: output.ref.bytes + 1 } }
    scheduler.jobs[0]?.answer({ outputs: [isThere ? longer : output], statistics })
    const says = isThere ? /ends at byte 1, expected 2/ : /is missing.*does its worker have others\?/
    await assert.rejects(running, (error) => isCode(error, 'JOB_REJECTED') && says.test(error.message))
    assert.deepEqual(await files.list(), [])
  }
})

test('seqnos and groups that are no numbers are refused, wherever they come from', async () => {
  const numbers = { seqnoFirst: NaN, seqnoLast: 1.5, group: NaN }
  for (const wrong of [...Object.entries(numbers), ['seqnoLast', NaN], ['seqnoFirst', -1], ['group', -1]] as const) {
    const { scheduler, run, result } = await bench()
    const running = run(1)
    await turn()
    const { outputs, statistics } = await result(0)
    const changed = outputs.map((output) => ({ ...output, [wrong[0]]: wrong[1] }) as never)
    scheduler.jobs[0]?.answer({ outputs: changed, statistics })
    await assert.rejects(running, (error) => isCode(error, 'JOB_REJECTED'), String(wrong))
  }
})

test('what a plan lacks is named', async () => {
  const runner = new JobRunner({ shard: SHARD } as unknown as ShardComponents, MAKER, () => Promise.resolve())
  for (const [name, says] of [
    ['handler', /no handler/],
    ['inputs', /e of m.* no inputs/],
    ['requirements', /e of m.* no requirements/],
    ['priority', /e of m.* no priority/],
  ] as const) {
    await assert.rejects(runner.run([{ ...plan, [name]: undefined }], []), says)
  }
})

// It was asked for ever, and nobody else.
test('workers elsewhere whose answers are wrong three times in a row are not asked for a while, and twice as long when they are wrong again', async () => {
  const [elsewhere, local] = [new HandScheduler(), new HandScheduler()]
  elsewhere.supports = { sharedMemory: false }
  const [files, clock] = [new MemoryFileStore({ hash: await loadHash() }), new SimulatedClock()]
  const components = { shard: SHARD, files, clock, jobs: elsewhere, localJobs: local } as unknown as ShardComponents
  let right = false
  const runner = new JobRunner(components, MAKER, ([job]) => {
    const wrong = new VarveError('JOB_REJECTED', 'wrong', { details: { job: job?.spec.id } })
    return right ? Promise.resolve() : Promise.reject(wrong)
  })
  /** Who is asked, with what becomes of the answer. */
  const asked = async (isRight: boolean, given: Partial<JobPlan> = {}): Promise<string> => {
    right = isRight
    const before = elsewhere.jobs.length
    const running = runner.run([{ ...plan, ...given }], [])
    const told = isRight ? running : assert.rejects(running, (error) => isCode(error, 'JOB_REJECTED'))
    await turn()
    const scheduler = elsewhere.jobs.length > before ? elsewhere : local
    scheduler.jobs.at(-1)?.answer({ outputs: [], statistics: {} })
    await told
    return scheduler === elsewhere ? 'elsewhere' : 'local'
  }
  for (const isRight of [false, false, true, false, false, false]) assert.equal(await asked(isRight), 'elsewhere')
  assert.ok(runner.distrust.active)
  assert.equal(await asked(true), 'local')
  assert.equal(await asked(false), 'local', 'what is wrong here is nobody else’s')
  const requirements = { memoryBytes: 0, labels: ['gpu'] }
  assert.equal(await asked(true, { requirements }), 'elsewhere')
  clock.advance(10_000)
  assert.equal(runner.distrust.rejections, 5)
  for (const isRight of [false, false, false]) assert.equal(await asked(isRight), 'elsewhere')
  for (const [passedMs, expected] of [
    [9_999, 'local'],
    [1, 'elsewhere'],
  ] as const) {
    clock.advance(passedMs)
    assert.equal(await asked(expected === 'local'), expected)
  }
  clock.advance(19_999)
  assert.equal(await asked(true), 'local', 'twice as long')
  clock.advance(1)
  assert.equal(await asked(true), 'elsewhere')
  assert.equal(await asked(false), 'elsewhere', 'it begins anew with an answer that was right')
})
