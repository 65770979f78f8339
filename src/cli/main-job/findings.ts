/** What comparing has found: how much was equal, and every difference. Plain data, so that processes can pass it on. */

import { formatNumberOf } from '../quantities.ts'

export interface Findings {
  /** Comparisons that came out equal: of a value with a file, of a key with its place in a scan, and so on. */
  equal: number
  /** Bytes of values that were compared. */
  bytes: number
  /** Each with its key, and the offset where there is one. */
  readonly differences: string[]
  /**
   * Files that are no longer on disk as they were ingested, going by size and modification time. Their values were
   * compared with the checksum taken then.
   */
  readonly changed: string[]
}

export function noFindings(): Findings {
  return { equal: 0, bytes: 0, differences: [], changed: [] }
}

/** Adds `more` to `findings`. A file that changed is reported once, however often it was looked at. */
export function addFindings(findings: Findings, more: Findings): void {
  findings.equal += more.equal
  findings.bytes += more.bytes
  findings.differences.push(...more.differences)
  const known = new Set(findings.changed)
  for (const path of more.changed) if (!known.has(path)) findings.changed.push(path)
}

// Enough to see what it is; a shard that lost everything should not fill the screen.
const SHOWN_MAX = 20

/** Lines: every difference and every changed file, or the first of many. */
export function describeFindings({ differences, changed }: Findings, all: boolean): readonly string[] {
  return [
    ...listing(differences, 'difference', 'DIFFERENT', all),
    ...listing(changed, 'changed file', 'changed since it was ingested', all),
  ]
}

function listing(texts: readonly string[], noun: string, label: string, all: boolean): readonly string[] {
  const shown = all ? texts : texts.slice(0, SHOWN_MAX)
  const left = texts.length - shown.length
  const lines = shown.map((text) => `${label}: ${text}`)
  return left === 0 ? lines : [...lines, `and ${formatNumberOf(left, `more ${noun}`)}; --verbose shows all`]
}
