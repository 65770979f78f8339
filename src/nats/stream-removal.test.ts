import assert from 'node:assert/strict'
import { test } from 'node:test'
import { removeBefore } from './stream-removal.ts'

async function callsOf(version: string | undefined, replicas: number, sequence: number): Promise<readonly string[]> {
  const calls: string[] = []
  await removeBefore(sequence, {
    version,
    look: () => Promise.resolve({ first: 3, replicas }),
    purge: async (before) => void calls.push(`purge ${before}`),
    remove: async (each) => void calls.push(`remove ${each}`),
  })
  return calls
}

test('where servers of a cluster make purges again wrongly, messages are removed one by one, the oldest first', async () => {
  for (const version of ['2.9.10', '2.9.17', '2.8.4', '1.0.0', undefined, 'unknown'])
    assert.deepEqual(await callsOf(version, 3, 6), ['remove 3', 'remove 4', 'remove 5'], version)
  assert.deepEqual(await callsOf('2.9.10', 3, 3), [], 'they have gone')
  for (const version of ['2.9.18', '2.9.25-beta.1', '2.10.0', '2.11.4', 'v3.0.0'])
    assert.deepEqual(await callsOf(version, 3, 6), ['purge 6'], version)
  assert.deepEqual(await callsOf('2.9.10', 1, 6), ['purge 6'], 'one server has no log of them')
})

test('nothing is before the first message, and nobody is asked for it', async () => {
  for (const version of ['2.9.10', '2.10.0'])
    for (const sequence of [0, 1]) assert.deepEqual(await callsOf(version, 3, sequence), [])
})
