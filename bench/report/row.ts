/** Results: one line of JSON for each measurement, written when it is made, so that a long run can go on where it stopped. */

import { appendFileSync, existsSync, mkdirSync, readFileSync } from 'node:fs'
import { dirname } from 'node:path'

export interface Row {
  /** Which data: keys, bytes of a value, and what is particular. */
  readonly shape: string
  readonly workload: string
  readonly peer: string
  readonly round: number
  readonly perSecond: number
  readonly operations: number
  readonly elapsedMs: number
  readonly digest: string
  readonly figures: Readonly<Record<string, number>>
  readonly settings: Readonly<Record<string, unknown>>
  /** Why there is no measurement. */
  readonly lacking?: string
}

export class RowFile {
  readonly rows: Row[] = []
  readonly path: string

  constructor(path: string, options: { readonly resume: boolean }) {
    this.path = path
    mkdirSync(dirname(path), { recursive: true })
    if (!options.resume || !existsSync(path)) return
    for (const line of readFileSync(path, 'utf8').split('\n')) {
      if (line.trim() !== '') this.rows.push(JSON.parse(line) as Row)
    }
  }

  has({ shape, workload, peer, round }: Pick<Row, 'shape' | 'workload' | 'peer' | 'round'>): boolean {
    return this.rows.some(
      (row) => row.shape === shape && row.workload === workload && row.peer === peer && row.round === round,
    )
  }

  hasRounds(place: Pick<Row, 'shape' | 'workload' | 'peer'>, rounds: number): boolean {
    return Array.from({ length: rounds }, (_, index) => index + 1).every((round) => this.has({ ...place, round }))
  }

  add(row: Row): void {
    this.rows.push(row)
    appendFileSync(this.path, `${JSON.stringify(row)}\n`)
  }
}
