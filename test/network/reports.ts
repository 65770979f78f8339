/** What two hosts of a shard do in reports of lost writes. */

import type { Deed } from './remote-takeover.ts'

export interface Report {
  /** Is held at some message. */
  readonly sleeper: readonly Deed[]
  /** Does this while the other one sleeps. */
  readonly other: readonly Deed[]
}

export const REPORTS: Readonly<Record<string, Report>> = {
  // SlateDB #352, #1622: what would have told the old one is collected by the new one.
  'an owner sleeps in a write through a takeover, a flush and a truncation': {
    sleeper: ['put a0', 'put a1', 'put a2'],
    other: ['open', 'put b0', 'flush', 'put b1', 'flush', 'compact'],
  },
  // SlateDB #1682: who opens has chosen where to fence when the owner writes, flushes and truncates beyond it.
  'who opens sleeps before its fence while the owner writes, flushes and truncates': {
    sleeper: ['open', 'put a0'],
    other: ['put b0', 'flush', 'put b1', 'flush', 'put b2'],
  },
  // SlateDB #1029: outputs of a compaction that is not committed are orphans to whoever takes over.
  'an owner sleeps in a flush or a compaction while another one opens and collects what nobody refers to': {
    sleeper: ['put a0', 'flush', 'put a1', 'flush', 'compact', 'put a2'],
    other: ['open', 'put b0', 'flush', 'compact'],
  },
}
