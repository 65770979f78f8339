/** What a shard is told where an answer of a job was refused: another owner may have removed the files behind it. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { VarveError } from '../kernel/errors.ts'
import { OwnerDoubt } from './owner-doubt.ts'

const refused = (): Promise<never> => Promise.reject(new VarveError('JOB_REJECTED', 'a file of it is missing'))

// An owner that was replaced, and could not read the head, heard of a defect of its workers.
test('a refused answer is a defect only where the head says that there is no other owner', async () => {
  const fenced = new VarveError('FENCED', 'epoch 3 has the shard')
  const unread = new VarveError('IO_FAILED', 'the head cannot be read')
  const lost: VarveError[] = []
  const doubt = (head: 'ours' | VarveError): OwnerDoubt => {
    const hearIfLost = (hear: (reason: VarveError) => void): Promise<Error | undefined> => {
      if (head === fenced) hear(fenced)
      return Promise.resolve(head === unread ? unread : undefined)
    }
    return new OwnerDoubt({ hearIfLost }, (reason) => void lost.push(reason))
  }
  await assert.rejects(doubt('ours').aboutRefused(refused()), { code: 'JOB_REJECTED' })
  await assert.rejects(doubt(unread).aboutRefused(refused()), unread)
  assert.deepEqual(lost, [])
  await assert.rejects(doubt(fenced).aboutRefused(refused()), fenced)
  assert.deepEqual(lost, [fenced])
  const full = new VarveError('NO_SPACE', 'full')
  await assert.rejects(doubt(fenced).aboutRefused(Promise.reject(full)), full)
})
