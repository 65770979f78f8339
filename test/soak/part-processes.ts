/** Runs one script in several processes, each with a part of the work, and adds up what they report. */

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { env, execPath } from 'node:process'
import { fileURLToPath } from 'node:url'

/** Numbers by name, as a script prints them in its last line, as JSON. */
export type PartReport = Readonly<Record<string, number>>

export interface PartOptions {
  /** Of node. */
  readonly arguments?: readonly string[]
  readonly env?: Readonly<Record<string, string>>
}

/**
 * @param script compiled
 * @param requests one for each process: handed over as JSON
 * @throws {Error} with what a process printed that failed
 */
export async function runParts(script: URL, requests: readonly object[]): Promise<PartReport> {
  const outputs = await Promise.all(requests.map((request) => runPart(script, request)))
  return sumsOf(outputs.map((lines) => JSON.parse(lines.at(-1) ?? '{}') as PartReport))
}

export function sumsOf(reports: readonly PartReport[]): PartReport {
  const sums: Record<string, number> = {}
  for (const [name, value] of reports.flatMap((report) => Object.entries(report)))
    sums[name] = (sums[name] ?? 0) + value
  return sums
}

/** @returns the lines it printed */
export async function runPart(script: URL, request: object, options: PartOptions = {}): Promise<readonly string[]> {
  const path = fileURLToPath(script)
  const child = spawn(execPath, [...(options.arguments ?? []), path, JSON.stringify(request)], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...env, ...options.env },
  })
  let output = ''
  let errors = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => (errors += text))
  const [code] = (await once(child, 'close')) as [number | null]
  if (code !== 0) throw new Error(`${path} '${JSON.stringify(request)}' failed:\n${output}${errors}`)
  return output.trimEnd().split('\n')
}
