/** The formats that can be imported and exported, and what files of them are called. */

import { extname } from 'node:path'

export const FORMATS = ['jsonl', 'csv', 'tree'] as const
export type Format = (typeof FORMATS)[number]

const EXTENSIONS: ReadonlyMap<string, Format> = new Map([
  ['.jsonl', 'jsonl'],
  ['.ndjson', 'jsonl'],
  ['.csv', 'csv'],
  ['.tsv', 'csv'],
])

/** By the end of its name; undefined where that says nothing. */
export function formatOfName(file: string): Format | undefined {
  return EXTENSIONS.get(extname(file).toLowerCase())
}

/** What stands between the fields of a CSV file of that name. */
export function delimiterOfName(file: string): string {
  return extname(file).toLowerCase() === '.tsv' ? '\t' : ','
}
