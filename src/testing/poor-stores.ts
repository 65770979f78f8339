/**
 * A file store and a head store poorer than the local ones, as remote ones may be: nothing synchronous, every call begun
 * late and answered late, so that calls overtake each other; on request some fail, and of some the outcome is unknown.
 */

import { FaultyFileStore, FaultyHeadStore } from '../fs/faulty-stores.ts'
import type { FileStore, HeadStore } from '../fs/fs.ts'
import { InterceptedFileStore } from '../fs/intercepted-file-store.ts'
import { InterceptedHeadStore } from '../fs/intercepted-head-store.ts'
import { randomFaults } from '../fs/random-faults.ts'
import { LateAnswers } from './late-answers.ts'
import type { LateAnswersOptions } from './late-answers.ts'

/** How poor they are. */
export interface PoorStoreOptions extends LateAnswersOptions {
  /** Share of calls that fail as `randomFaults` has it, 0 … 1. Default 0: a conformance suite passes. */
  readonly failures?: number
}

/** A file store over another, late and without synchronous calls. */
export class PoorFileStore extends InterceptedFileStore {
  /** @param inner closed with this one */
  constructor(inner: FileStore, options: PoorStoreOptions) {
    const { random, clock, failures = 0 } = options
    const failing =
      failures === 0 ? inner : new FaultyFileStore(inner, { plan: randomFaults(random, { failures }), clock })
    super(failing, new LateAnswers(options), { syncRead: false })
  }
}

/** A head store over another, late. */
export class PoorHeadStore extends InterceptedHeadStore {
  /** @param inner has the heads */
  constructor(inner: HeadStore, options: PoorStoreOptions) {
    const { random, clock, failures = 0 } = options
    const failing =
      failures === 0 ? inner : new FaultyHeadStore(inner, { plan: randomFaults(random, { failures }), clock })
    super(failing, new LateAnswers(options))
  }
}
