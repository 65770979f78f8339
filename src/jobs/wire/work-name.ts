/** What two jobs have in common that do the same work: a shard gives every attempt another name, not what it works on. */

import type { JobSpec } from '../jobs.ts'

export function workName({ handler, inputs, outputPrefix }: JobSpec): string {
  const names = inputs.map((input) => (input.type === 'file' ? input.ref.name : '')).sort()
  // Without inputs nothing says that two jobs are the same work.
  return `${handler.module}#${handler.export} ${names.length === 0 ? outputPrefix : names.join(' ')}`
}
