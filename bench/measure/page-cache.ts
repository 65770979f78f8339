/** The system's page cache, emptied where this is permitted: as root, on Linux. */

import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'

/** Whether it was permitted. Concerns the whole machine, so nothing else should be measured meanwhile. */
export function dropPageCache(): boolean {
  try {
    // Only clean pages are dropped.
    spawnSync('sync')
    writeFileSync('/proc/sys/vm/drop_caches', '1')
    return true
  } catch {
    return false
  }
}
