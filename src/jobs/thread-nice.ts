/** How far a thread stands back where threads outnumber cores. */

import { getPriority, setPriority } from 'node:os'
import process from 'node:process'

/** Says so for the thread that calls, for good. Does nothing where priorities are of processes, or may not be changed. */
export function standBack(nice: number): void {
  // Zero is who calls: on Linux a thread, elsewhere the whole process.
  if (process.platform !== 'linux' || nice === 0) return
  try {
    // Who stands back already, because the program was begun so, is not called forward.
    if (getPriority(0) < nice) setPriority(0, nice)
  } catch {
    // A sandbox that forbids the call: the work is the same.
  }
}
