/** Every workload by name, in the order of the report. */

import { LATENCY_WORKLOADS } from './latency.ts'
import { CRASH, CRASH_WORKLOAD, OPENING_WORKLOADS } from './opening.ts'
import { MIXED_WORKLOADS } from './mixed.ts'
import { READ_WORKLOADS } from './reads.ts'
import { SCAN_WORKLOADS } from './scans.ts'
import type { Workload } from './workload.ts'
import { WRITE_WORKLOADS } from './writes.ts'
import { YCSB_WORKLOADS } from './ycsb.ts'

export const WORKLOADS: readonly Workload[] = [
  ...WRITE_WORKLOADS,
  ...READ_WORKLOADS,
  ...SCAN_WORKLOADS,
  ...MIXED_WORKLOADS,
  ...YCSB_WORKLOADS,
  ...LATENCY_WORKLOADS,
  ...OPENING_WORKLOADS,
]

/** @throws {RangeError} there is no such workload */
export function workloadNamed(name: string): Workload {
  if (name === CRASH) return CRASH_WORKLOAD
  const workload = WORKLOADS.find((other) => other.name === name)
  if (workload === undefined) throw new RangeError(`there is no workload ${name}`)
  return workload
}
