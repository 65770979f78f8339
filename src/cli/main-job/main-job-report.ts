/** What the main job says when it is done: figures, levels, the drawing, and the verdict in the last line. */

import { EXIT_CODES } from '../exit-code.ts'
import type { ExitCode } from '../exit-code.ts'
import { renderCache, renderLevels } from '../level-table.ts'
import type { Output } from '../output.ts'
import { formatBytes, formatCount, formatNumberOf } from '../quantities.ts'
import { renderAmplification } from './amplification.ts'
import { describeFindings } from './findings.ts'
import type { Findings } from './findings.ts'
import type { MainJobReport } from './main-job.ts'

export function printMainJob(report: MainJobReport, output: Output, verbose: boolean): ExitCode {
  const { tree, ingestion, statistics, phases } = report
  const sections: readonly (readonly [title: string, lines: readonly string[]])[] = [
    ['Input', describeInput(report, verbose)],
    ['Phases', phases.render()],
    ['Levels', renderLevels(statistics)],
    ['Bytes', renderAmplification(report)],
    ['Block cache', renderCache(statistics)],
    ['Tree', report.drawing],
  ]
  for (const [title, lines] of sections) {
    output.line()
    output.line(title)
    for (const line of lines) output.line(`  ${line}`)
  }
  output.line()
  // What could not be read was not compared: saying so is part of the verdict.
  const leftOut = ingestion.leftOut.length + tree.unreadable.length
  return printVerdict(report.findings, output, verbose, leftOut === 0 ? '' : `, ${formatCount(leftOut)} not readable`)
}

/** Prints differences and the last line; says how to exit. */
export function printVerdict(findings: Findings, output: Output, verbose: boolean, remark = ''): ExitCode {
  for (const line of describeFindings(findings, verbose)) output.note(line)
  const { equal, bytes, differences, changed } = findings
  const compared = `${formatCount(equal)} comparisons, ${formatBytes(bytes)}`
  if (differences.length > 0) {
    output.line(`Result: ${formatNumberOf(differences.length, 'difference')}; ${compared} equal${remark}`)
    return EXIT_CODES.failure
  }
  const aside =
    changed.length === 0 ? '' : `, ${formatNumberOf(changed.length, 'file')} changed on disk and compared by checksum`
  output.line(`Result: every comparison equal: ${compared}${aside}${remark}`)
  return EXIT_CODES.ok
}

function describeInput({ tree, ingestion }: MainJobReport, verbose: boolean): readonly string[] {
  const { files, contentBytes, leftOut } = ingestion
  const lines = [`${formatNumberOf(files.length, 'file')}, ${formatBytes(contentBytes)}, from ${tree.root}`]
  if (tree.symlinks > 0) lines.push(`${formatNumberOf(tree.symlinks, 'symbolic link')} skipped`)
  if (tree.specials > 0)
    lines.push(`${formatNumberOf(tree.specials, 'socket, pipe or device', 'sockets, pipes and devices')} skipped`)
  const unread = [...tree.unreadable, ...leftOut]
  const shown = verbose ? unread : unread.slice(0, 10)
  lines.push(...shown.map((text) => `not readable: ${text}`))
  if (shown.length < unread.length)
    lines.push(`and ${formatCount(unread.length - shown.length)} more; --verbose shows all`)
  return lines
}
