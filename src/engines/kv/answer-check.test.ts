import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isCode } from '../../kernel/errors.ts'
import { fileName, seqno } from '../../kernel/ids.ts'
import { AFTER_ALL, BEFORE_ALL, cutAfter, cutBefore } from '../../kernel/key-cut.ts'
import type { KeyCut } from '../../kernel/key-cut.ts'
import { BYTEWISE } from '../../kernel/key-order.ts'
import type { JobInput, JobOutput } from '../../jobs/jobs.ts'
import type { AnsweredJob } from '../../shard/shard.ts'
import { KEY_COLUMN_FORMAT } from '../../sst/key-column.ts'
import { checkAnswers } from './answer-check.ts'
import { encodeColumnMeta } from './key-columns.ts'
import { WRITTEN_FORMAT } from './table-formats.ts'
import { encodeTableMeta } from './table-meta.ts'

const key = (letter: string): Uint8Array => new TextEncoder().encode(letter)

function meta(first: string, last: string, entryCount: number, rangeCount = 0): Uint8Array {
  const [lower, upper] = [cutBefore(key(first)), cutAfter(key(last))]
  const [keyFirst, keyLast] = [key(first), key(last)]
  return encodeTableMeta({
    keyFirst,
    keyLast,
    entryCount,
    rangeCount,
    deleteCount: 0,
    lower,
    upper,
    covers: [],
    samples: [],
  })
}

const file = (name: string, described: Uint8Array): JobInput & JobOutput =>
  ({
    type: 'file',
    ref: { name },
    format: WRITTEN_FORMAT,
    group: 2,
    meta: described,
    view: new Uint8Array(0),
    seqnoFirst: seqno(1),
    seqnoLast: seqno(2),
  }) as never

interface Answer {
  readonly bounds?: readonly [KeyCut, KeyCut]
  readonly inputs: readonly JobInput[]
  readonly outputs: readonly JobOutput[]
  readonly read: number
  readonly dropped?: number
}

const job = ({ bounds, inputs, outputs, read, dropped = 0 }: Answer): AnsweredJob => {
  const [lower, upper] = bounds ?? [BEFORE_ALL, AFTER_ALL]
  const parameters = { lower, upper, group: 2, format: WRITTEN_FORMAT }
  const spec = { id: 'j', attempt: 1, inputs, parameters }
  return { spec: spec as never, outputs, statistics: { entriesRead: read, entriesDropped: dropped } }
}

const left = file('left', meta('a', 'f', 60))
const right = file('right', meta('c', 'z', 40))
const cut = cutBefore(key('e'))
const first: Answer = {
  bounds: [BEFORE_ALL, cut],
  inputs: [left, right],
  outputs: [file('x', meta('a', 'b', 30)), file('y', meta('c', 'd', 20))],
  read: 55,
  dropped: 5,
}
const second: Answer = {
  bounds: [cut, AFTER_ALL],
  inputs: [left, right],
  outputs: [file('z', meta('e', 'z', 45))],
  read: 45,
}

function rejects(answers: readonly Answer[], reason: RegExp): void {
  assert.throws(
    () => checkAnswers(answers.map(job), BYTEWISE),
    (error) => isCode(error, 'JOB_REJECTED') && reason.test(error.message),
  )
}

test('jobs that divide a change are installed when all entries are accounted for', () => {
  checkAnswers([first, second].map(job), BYTEWISE)
  rejects([first], /100 entries to read, and 55/)
  rejects([first, { ...second, read: 46, dropped: 1 }], /100 entries to read, and 101/)
  rejects([{ ...first, dropped: 4 }, second], /55 entries 4 were dropped and 50 written/)
  rejects([first, { ...second, outputs: [] }], /0 written/)
})

test('what range tombstones hide need not be read, but nothing is read twice', () => {
  const inputs = [file('left', meta('a', 'f', 60, 1)), right]
  const hidden = { ...second, inputs, outputs: [], read: 0 }
  checkAnswers([{ ...first, inputs }, hidden].map(job), BYTEWISE)
  rejects(
    [
      { ...first, inputs },
      { ...second, inputs, read: 50, dropped: 5 },
    ],
    /100 entries to read, and 105/,
  )
})

test('an output outside the part of its job, or over another, is rejected', () => {
  const outputs = (letters: readonly [string, string], count: number): readonly JobOutput[] => [
    file('z', meta(...letters, count)),
  ]
  rejects([{ ...first, outputs: outputs(['a', 'e'], 50) }, second], /ends after the part/)
  rejects([first, { ...second, outputs: outputs(['d', 'z'], 45) }], /overlaps|begins before/)
  rejects([{ ...second, outputs: outputs(['d', 'z'], 45) }], /begins before the part/)
  const both = [file('x', meta('a', 'c', 30)), file('y', meta('c', 'd', 20))]
  rejects([{ ...first, outputs: both }, second], /overlaps the output before/)
  rejects([{ ...first, outputs: [file('x', meta('a', 'b', 0))] }, second], /is empty/)
})

test('a key column follows its table and has as many entries', () => {
  const column = (table: string, entries: number): JobOutput => ({
    ...file('k', encodeColumnMeta(fileName(table), entries)),
    format: KEY_COLUMN_FORMAT,
  })
  const table = file('z', meta('e', 'z', 45))
  checkAnswers([first, { ...second, outputs: [table, column('z', 45)] }].map(job), BYTEWISE)
  rejects([first, { ...second, outputs: [table, column('z', 44)] }], /other entries/)
  rejects([first, { ...second, outputs: [table, column('y', 45)] }], /follows no table/)
  rejects([first, { ...second, outputs: [column('z', 45), table] }], /follows no table/)
})

// A head that named such a file was committed, and the shard could not be opened any more.
test('a file of another level or format, or one that is described by nothing, is rejected', () => {
  const [x, y] = first.outputs as readonly [JobOutput, JobOutput]
  const other = (changed: object): readonly Answer[] => [{ ...first, outputs: [{ ...x, ...changed }, y] }, second]
  rejects(other({ group: 99 }), /for level 99, not 2/)
  rejects(other({ group: 0 }), /for level 0, not 2/)
  rejects(other({ format: { ...WRITTEN_FORMAT, version: 99 } }), /in format row 99/)
  rejects(other({ format: { name: 'parquet', version: 1 } }), /in format parquet 1/)
  rejects(other({ meta: new Uint8Array(3).fill(255) }), /description of x is damaged/)
  const column = { ...file('k', encodeColumnMeta(y.ref.name, 20)), format: { ...KEY_COLUMN_FORMAT, version: 9 } }
  rejects([{ ...first, outputs: [x, y, column] }, second], /k is in version 9/)
})
