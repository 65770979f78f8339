/** What a stream that is there already has to be like. */

import { VarveError } from '../kernel/errors.ts'
import type { StreamSettings } from './nats.ts'
import { removesOneByOne } from './stream-removal.ts'

/**
 * @param version of the server; undefined: it has not said
 * @throws {VarveError} INCOMPATIBLE — it would lose messages, keep them less safely, or not let go of them
 */
export function checkConfiguration(
  settings: StreamSettings,
  found: Readonly<Record<string, unknown>>,
  version: string | undefined,
): void {
  const { name, retention, replicas, messagesMax } = settings
  const expected: Record<string, unknown> = {
    retention,
    storage: 'file',
    discard: messagesMax === undefined ? 'new' : 'old',
    num_replicas: replicas,
    max_age: 0,
    max_msgs: messagesMax ?? -1,
    // Of a subject it drops the oldest ones, whatever `discard` says.
    max_msgs_per_subject: -1,
    no_ack: false,
    sealed: false,
    // What files have taken the place of is removed. Servers never take these two back.
    deny_purge: false,
  }
  if (retention === 'workqueue' || removesOneByOne(version, Number(found['num_replicas'] ?? 1)))
    expected['deny_delete'] = false
  for (const [field, value] of Object.entries(expected)) {
    const is = valueOf(field, found[field]) as string | number | boolean
    if (field === 'num_replicas' ? Number(is) >= replicas : is === value) continue
    const wayOut =
      field.startsWith('deny_') || field === 'sealed' ? '; that is for good: take another name or prefix' : ''
    throw new VarveError('INCOMPATIBLE', `stream ${name} has ${field} ${String(is)}, not ${String(value)}${wayOut}`, {
      details: { what: `${field} of stream ${name}`, found: is, expected: value },
    })
  }
}

/** What a server leaves out is not set. */
function valueOf(field: string, found: unknown): unknown {
  if (['no_ack', 'sealed', 'deny_purge', 'deny_delete'].includes(field)) return found ?? false
  // No limit, as servers have it and as they take it.
  if (field === 'max_msgs_per_subject') return found === undefined || Number(found) <= 0 ? -1 : found
  return found ?? 0
}
