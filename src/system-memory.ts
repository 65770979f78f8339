/** How much memory this process may take: the one place that asks the system. */

import { totalmem } from 'node:os'

/** Bytes: what the machine has, or what a control group, such as a container's, leaves this process of it. */
export function memoryLimitBytes(): number {
  // As large as numbers get where there is no limit, and 0 where nobody knows.
  const constrained = process.constrainedMemory()
  return constrained > 0 ? Math.min(constrained, totalmem()) : totalmem()
}
