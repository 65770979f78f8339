/** abstract-level's own conformance suite over VarveLevel as a program opens it. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { VarveLevel } from '../src/engines/level/varve-level.ts'
import { ASSERTIONS, SUITE_TIMEOUT_MS, passSuite } from './abstract-level-run.ts'

test("abstract-level's suite passes with default settings", { timeout: SUITE_TIMEOUT_MS }, async () => {
  assert.equal(await passSuite((location, options) => new VarveLevel(location, options)), ASSERTIONS)
})
