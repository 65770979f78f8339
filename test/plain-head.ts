/** The head of a shard that nobody has written to. */

import { EPOCH_ZERO } from '../src/kernel/ids.ts'
import type { HeadContent } from '../src/shard/head-content.ts'
import { EMPTY_EDIT_LOG } from '../src/shard/manifest.ts'

/** @param changes what is otherwise in it */
export function plainHead(changes: Partial<HeadContent> = {}): HeadContent {
  return {
    epoch: EPOCH_ZERO,
    owner: 'us',
    commit: 0,
    journal: { name: 'memory', version: 1 },
    engine: { name: 'kv', version: 1 },
    identity: {},
    journalState: undefined,
    ...EMPTY_EDIT_LOG,
    pins: [],
    ...changes,
  }
}
