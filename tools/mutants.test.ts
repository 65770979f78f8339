import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { DISK_MUTANTS } from './mutants/disk-mutants.ts'
import { ENGINE_MUTANTS } from './mutants/engine-mutants.ts'
import { STEP_MUTANTS } from './mutants/step-mutants.ts'
import { ROOT } from './repository.ts'

test('every seeded bug has its place in the code, and only one, so that `npm run mutants` can plant it', () => {
  const stale = [...DISK_MUTANTS, ...ENGINE_MUTANTS, ...STEP_MUTANTS].filter(({ file, find }) => {
    const whole = readFileSync(join(ROOT, 'build/src', file), 'utf8')
    return whole.split(find).length !== 2
  })
  assert.deepEqual(
    stale.map(({ id }) => id),
    [],
  )
})
