/** Which cores have the application, and which everything else: on one machine, as if on two. */

import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'

export interface Cores {
  /** Lists, as `taskset` has them. */
  readonly application: string
  readonly others: string
  readonly all: string
}

/** The first core is the application's. Undefined: there is one only, or nobody to be asked, as elsewhere than on Linux. */
export function splitCores(): Cores | undefined {
  let all: string | undefined
  try {
    all = /^Cpus_allowed_list:\s*(\S+)$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1]
  } catch {
    return undefined
  }
  const cores = (all ?? '').split(',').flatMap((range) => {
    const [first = NaN, last = first] = range.split('-').map(Number)
    return Array.from({ length: last - first + 1 }, (_, index) => first + index)
  })
  if (all === undefined || cores.length < 2) return undefined
  const cut = { application: String(cores[0]), others: cores.slice(1).join(), all }
  return keepTo(process.pid, all) ? cut : undefined
}

/** Keeps all threads of a process to these cores, and those that they start. @returns whether it could be done */
export function keepTo(pid: number, cores: string): boolean {
  return (
    spawnSync('taskset', ['--all-tasks', '--cpu-list', '--pid', cores, String(pid)], { stdio: 'ignore' }).status === 0
  )
}
