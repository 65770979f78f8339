/**
 * What every journal promises, as tests. Power cuts and damage are not here: what can be lost depends on where a journal
 * keeps its bytes.
 */

import { testAppends } from './journal-append-conformance.ts'
import { promises } from './journal-bench.ts'
import type { JournalSuite } from './journal-bench.ts'
import { testLog } from './journal-log-conformance.ts'
import { testOwners } from './journal-owner-conformance.ts'

/** A test for each promise of a journal, over an empty place each. */
export function testJournal(suite: JournalSuite): void {
  const promise = promises(suite)
  testLog(promise)
  testAppends(promise)
  testOwners(promise)
}
