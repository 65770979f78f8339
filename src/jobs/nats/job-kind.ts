/**
 * What the subject of a job says about it: enough to choose from, without reading it.
 *
 *      <queue>.jobs.<priority>.<memoryBytes>.<labels>.<shard>     labels: each behind a +, sorted; - where there are none
 *
 * Jobs of one subject are given out in the order in which they came. Characters that mean something in subjects, and names of
 * files on a server, are percent-encoded.
 */

import { VarveError } from '../../kernel/errors.ts'
import type { JobSpec } from '../jobs.ts'

export interface JobKind {
  /** Lower runs first; 0 and below is urgent. */
  readonly priority: number
  readonly memoryBytes: number
  readonly labels: readonly string[]
  readonly shard: string
}

// A consumer is named after its subject, and a server has a directory of that name.
const KIND_LENGTH_MAX = 160

export function kindOf({ priority, requirements }: JobSpec, shard: string): JobKind {
  return { priority, memoryBytes: requirements.memoryBytes, labels: requirements.labels, shard }
}

/** @throws {VarveError} LIMIT_EXCEEDED — names of shard and labels are too long */
export function subjectOf(queue: string, { priority, memoryBytes, labels, shard }: JobKind): string {
  const sorted = labels.toSorted().map((label) => `+${encoded(label)}`)
  const needs = sorted.length === 0 ? '-' : sorted.join('')
  const subject = `${encoded(String(priority))}.${encoded(String(memoryBytes))}.${needs}.${encoded(shard)}`
  if (subject.length > KIND_LENGTH_MAX) {
    throw new VarveError('LIMIT_EXCEEDED', `shard and labels of a job take ${subject.length} characters of a subject`, {
      details: { what: 'shard and labels of a job', size: subject.length, limit: KIND_LENGTH_MAX },
    })
  }
  return `${queue}.jobs.${subject}`
}

/** Undefined: that is the subject of no job. */
export function kindAt(queue: string, subject: string): JobKind | undefined {
  const start = `${queue}.jobs.`
  const [priority, memoryBytes, labels, shard, more] = subject.slice(start.length).split('.')
  if (!subject.startsWith(start) || shard === undefined || more !== undefined) return undefined
  try {
    const kind = {
      priority: Number(decodeURIComponent(priority as string)),
      memoryBytes: Number(decodeURIComponent(memoryBytes as string)),
      labels: labels === '-' ? [] : (labels as string).split('+').slice(1).map(decodeURIComponent),
      shard: decodeURIComponent(shard),
    }
    return Number.isNaN(kind.priority) || Number.isNaN(kind.memoryBytes) ? undefined : kind
  } catch {
    return undefined
  }
}

function encoded(text: string): string {
  return encodeURIComponent(text).replace(/[.*!~'()]/g, (each) => `%${each.charCodeAt(0).toString(16)}`)
}
