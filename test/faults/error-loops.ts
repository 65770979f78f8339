/** The loops over operations that fail, until none does any more. */

import { baseImage } from '../crash/crash-simulation.ts'
import type { ErrorCode } from '../../src/kernel/errors.ts'
import { runWithFault } from './error-loop.ts'
import type { Fault } from './error-loop.ts'

export interface LoopOptions {
  /** The first operation that fails, and how many after it the next one does. */
  readonly first: number
  readonly step: number
}

export interface LoopReport {
  runs: number
  /** Operations of the disk in the scenario. */
  operations: number
  /** Calls that were rejected. */
  rejected: number
  /** Runs after which the shard took writes without being opened again. */
  resumed: number
}

/** Fails each operation in turn, once and from then on. */
export function loopErrors(
  options: LoopOptions & { readonly errors: (index: number) => readonly ErrorCode[] },
): Promise<LoopReport> {
  return loop(options, (index) =>
    options.errors(index).flatMap((error) => [false, true].map((sticky) => ({ index, error, sticky }))),
  )
}

/** Fails each sync of a file or directory in turn, on three kinds of file system. */
export function loopSyncs(options: LoopOptions): Promise<LoopReport> {
  const among: Fault['among'] = ({ operation }) => operation === 'sync' || operation === 'syncDirectory'
  const kinds = ['dropped', 'reverted', 'retained'] as const
  return loop(options, (index) =>
    kinds.flatMap((failedSyncs) =>
      [false, true].map((sticky) => ({ index, error: 'IO_FAILED' as const, sticky, among, failedSyncs })),
    ),
  )
}

async function loop({ first, step }: LoopOptions, faultsAt: (index: number) => readonly Fault[]): Promise<LoopReport> {
  const base = await baseImage()
  const report: LoopReport = { runs: 0, operations: 0, rejected: 0, resumed: 0 }
  for (let index = first; ; index += step) {
    let hit = false
    for (const fault of faultsAt(index)) {
      try {
        const { hit: found, rejected, resumed } = await runWithFault(base, fault)
        hit ||= found !== undefined
        report.runs++
        report.rejected += rejected
        if (resumed) report.resumed++
      } catch (cause) {
        const message = cause instanceof Error ? cause.message : String(cause)
        throw new Error(`${JSON.stringify(fault)}: ${message}`, { cause })
      }
    }
    if (!hit) return report
    report.operations = index + 1
  }
}
