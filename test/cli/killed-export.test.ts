/** An export that is killed: what it leaves is no export, and does not stay. */

import assert from 'node:assert/strict'
import { readFileSync, readdirSync } from 'node:fs'
import { test } from 'node:test'
import { setTimeout } from 'node:timers/promises'
import { open } from '../../src/local.ts'
import { Workplace, start } from './varve-process.ts'

const ENTRIES = 40_000

test('the part that a killed export has left is not there any more after the next one to that name', async (context) => {
  const place = new Workplace(context)
  const db = await open(place.in('data'), { jobs: 'inline' })
  const value = Buffer.alloc(500, 'v')
  for (let index = 0; index < ENTRIES;) {
    const keys = Array.from({ length: 1000 }, () => Buffer.from(`key ${index++}`))
    await db.batch(keys.map((key) => ({ type: 'put', key, value })))
  }
  await db.close()
  const parts = (): string[] => readdirSync(place.path).filter((name) => name !== 'data')
  // One that was too quick is none that was killed.
  for (let isKilled = false; !isKilled;) {
    const running = start(['export', 'data', 'out.jsonl', '--force'], { cwd: place.path })
    let hasEnded = false
    const ended = running.ended.then(() => (hasEnded = true))
    while (!hasEnded && !parts().some((name) => name.includes('.varve-part-'))) await setTimeout(1)
    running.signal('SIGKILL')
    await ended
    isKilled = parts().some((name) => name.includes('.varve-part-'))
  }
  const { code, errors } = await place.varve(['export', 'data', 'out.jsonl', '--force'])
  assert.equal(code, 0, errors)
  assert.deepEqual(parts(), ['out.jsonl'])
  assert.equal(readFileSync(place.in('out.jsonl'), 'utf8').split('\n').length, ENTRIES + 1)
})
