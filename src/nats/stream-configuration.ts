/** What a stream that is there already has to be like. */

import { VarveError } from '../kernel/errors.ts'
import type { StreamSettings } from './nats.ts'

/** @throws {VarveError} INCOMPATIBLE — it would lose messages, or keep them less safely */
export function checkConfiguration(settings: StreamSettings, found: Readonly<Record<string, unknown>>): void {
  const expected: Record<string, unknown> = {
    retention: settings.retention,
    storage: 'file',
    discard: settings.messagesMax === undefined ? 'new' : 'old',
    num_replicas: settings.replicas,
    max_age: 0,
    max_msgs: settings.messagesMax ?? -1,
  }
  for (const [name, value] of Object.entries(expected)) {
    const is = (found[name] ?? 0) as string | number
    const fits = name === 'num_replicas' ? Number(is) >= settings.replicas : is === value
    if (fits) continue
    throw new VarveError('INCOMPATIBLE', `stream ${settings.name} has ${name} ${String(is)}, not ${String(value)}`, {
      details: { what: `${name} of stream ${settings.name}`, found: is, expected: value },
    })
  }
}
