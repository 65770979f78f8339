/**
 * Processes of this machine: by boot id, number and start time where there is a `/proc`, by number alone elsewhere.
 *
 * It sees what this process sees. One in another container (process namespace) counts as dead, one on another machine
 * too: see docs/formats/lock.md.
 */

import fs from 'node:fs'
import type { ProcessIdentity, ProcessTable } from './process-table.ts'

// Positions in /proc/<pid>/stat after the name, which is the second field: state is the third.
const STATE_AT = 0
const THREADS_AT = 17
const STARTED_AT = 19

/** The processes that this one sees. Holds nothing: one may serve a whole process. */
export class NodeProcessTable implements ProcessTable {
  self(): ProcessIdentity {
    const { pid } = process
    return { bootId: bootId(), pid, startedAt: statOf(pid)?.startedAt ?? '' }
  }

  isAlive(identity: ProcessIdentity): boolean {
    const boot = bootId()
    if (boot !== '' && identity.bootId !== '' && identity.bootId !== boot) return false
    // Number 0 is our own group to `kill`, and nobody's process.
    if (identity.pid === 0) return false
    const stat = statOf(identity.pid)
    // No such process, no `/proc`, or one that hides other users' processes (hidepid).
    if (stat === undefined) return answersSignal(identity.pid)
    return !stat.gone && (identity.startedAt === '' || identity.startedAt === stat.startedAt)
  }
}

interface ProcessStat {
  readonly startedAt: string
  /** It has let go of everything but its number. */
  readonly gone: boolean
}

function bootId(): string {
  return readText('/proc/sys/kernel/random/boot_id')?.trim() ?? ''
}

function statOf(pid: number): ProcessStat | undefined {
  const stat = readText(`/proc/${pid}/stat`)
  // The name is in parentheses and may hold spaces and parentheses itself.
  const fields = stat?.slice(stat.lastIndexOf(')') + 2).split(' ')
  const startedAt = fields?.[STARTED_AT]
  if (fields === undefined || startedAt === undefined) return undefined
  const state = fields[STATE_AT]
  // The first thread of a killed process may be a zombie (Z) while another is still in a system call: an unlink, say.
  return { startedAt, gone: state === 'X' || (state === 'Z' && Number(fields[THREADS_AT]) <= 1) }
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
