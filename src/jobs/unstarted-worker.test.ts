import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isCode } from '../kernel/errors.ts'
import { unstartedWorker } from './unstarted-worker.ts'

const refused = (errno: string): Error => Object.assign(new Error(errno), { code: 'ERR_WORKER_INIT_FAILED' })

test('a thread for which there is no descriptor is OUT_OF_FILES, any other that cannot begin says what to do, too', () => {
  const [files, threads] = [unstartedWorker(refused('EMFILE')), unstartedWorker(refused('EAGAIN'))]
  assert.ok(isCode(files, 'OUT_OF_FILES'))
  assert.ok(threads instanceof Error && !isCode(threads, 'OUT_OF_FILES'))
  for (const error of [files, threads])
    assert.match(error.message, /no worker thread can begin \(E[A-Z]+\).*raise the limit.* or open with jobs: 'inline'/)
})

test('what ends a thread that had begun is told as it is', () => {
  for (const error of [new Error('thrown'), 'thrown', undefined]) assert.equal(unstartedWorker(error), error)
})
