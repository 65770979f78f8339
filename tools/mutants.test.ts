import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { ALL_MUTANTS } from './mutants/all-mutants.ts'
import { ROOT } from './repository.ts'

test('every seeded bug has its place in the code, and only one, so that `npm run mutants` can plant it', () => {
  const stale = ALL_MUTANTS.filter(({ file, find }) => {
    const whole = readFileSync(join(ROOT, 'build/src', file), 'utf8')
    return whole.split(find).length !== 2
  })
  assert.deepEqual(
    stale.map(({ id }) => id),
    [],
  )
})

test('every seeded bug has a name of its own, and tests of `npm test` that must notice it', () => {
  assert.equal(new Set(ALL_MUTANTS.map(({ id }) => id)).size, ALL_MUTANTS.length)
  for (const { id, killers } of ALL_MUTANTS) {
    assert.ok(killers.length > 0, id)
    for (const killer of killers) {
      assert.match(killer, /^(?:src|test)\/.*\.test\.js$/, id)
      assert.ok(existsSync(join(ROOT, 'build', killer)), `${id}: ${killer}`)
    }
  }
})
