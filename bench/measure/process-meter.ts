/** What this process has cost since a moment: processor time of all its threads, bytes it made the system write, memory. */

import { readFileSync } from 'node:fs'
import { cpuUsage, memoryUsage, resourceUsage } from 'node:process'

export class ProcessMeter {
  readonly #cpu = cpuUsage()
  readonly #written = writtenBytes()

  figures(): Record<string, number> {
    const { user, system } = cpuUsage(this.#cpu)
    const written = writtenBytes()
    return {
      cpuMs: Math.round((user + system) / 1000),
      // Linux gives kibibytes.
      memoryPeakBytes: resourceUsage().maxRSS * 1024,
      memoryBytes: memoryUsage.rss(),
      ...(written === undefined || this.#written === undefined ? {} : { writtenBytes: written - this.#written }),
    }
  }
}

/** Bytes this process sent towards the disk, pages of memory maps included; undefined where the system does not say. */
function writtenBytes(): number | undefined {
  try {
    const found = /^write_bytes: (\d+)$/m.exec(readFileSync('/proc/self/io', 'utf8'))
    return found?.[1] === undefined ? undefined : Number(found[1])
  } catch {
    return undefined
  }
}
