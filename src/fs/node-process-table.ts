/** Processes of this machine: by boot id and start time where there is a `/proc`, by number alone elsewhere. */

import fs from 'node:fs'
import type { ProcessIdentity, ProcessTable } from './process-table.ts'

export class NodeProcessTable implements ProcessTable {
  self(): ProcessIdentity {
    const { pid } = process
    return { bootId: bootId(), pid, startedAt: startOf(pid) ?? '' }
  }

  isAlive(identity: ProcessIdentity): boolean {
    if (identity.bootId !== bootId()) return false
    if (identity.startedAt !== '') return startOf(identity.pid) === identity.startedAt
    return answersSignal(identity.pid)
  }
}

function bootId(): string {
  return readText('/proc/sys/kernel/random/boot_id')?.trim() ?? ''
}

/** Field 22 of `/proc/<pid>/stat`, or undefined where there is no such process. */
function startOf(pid: number): string | undefined {
  const stat = readText(`/proc/${pid}/stat`)
  // The second field is the program's name in parentheses, which may hold spaces and parentheses itself.
  const fields = stat?.slice(stat.lastIndexOf(')') + 2).split(' ')
  // A zombie (state Z, field 3) has let go of everything but its number.
  return fields === undefined || fields[0] === 'Z' ? undefined : fields[19]
}

function readText(path: string): string | undefined {
  try {
    return fs.readFileSync(path, 'latin1')
  } catch {
    return undefined
  }
}

/** Signal 0 is only checked, not sent. */
function answersSignal(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}
