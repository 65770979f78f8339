import assert from 'node:assert/strict'
import { test } from 'node:test'
import { endMissing, lostEnd } from './lost-end.ts'
import { segmentName } from './segment-id.ts'

const OWNER = { epoch: 3, attempt: 1 }
const DIRECTORY = 'journal/main'
const name = (index: number): string => segmentName({ ...OWNER, index })

/** What is found of a log whose end is missing. */
interface Found {
  /** The last segment that is there. */
  readonly last?: number
  /** Nothing of the owner's can have been dropped. Default: something can. */
  readonly first?: boolean
  /** The last segment, as its closing has it. */
  readonly closed?: number
  /** The last segment with something in it, which ends at 700. */
  readonly former?: number
  readonly endUnknown?: boolean
}

/** What is said of it. */
function said({ last, first = false, closed, former, endUnknown = false }: Found): {
  readonly file: unknown
  readonly offset: unknown
  readonly reason: unknown
} {
  const segment = last === undefined ? undefined : { ...OWNER, index: last }
  const closing = closed === undefined ? undefined : { index: closed, endOffset: 900, end: 5000 }
  const lost = lostEnd(OWNER, segment, first, closing)
  const before =
    former === undefined ? undefined : { path: `${DIRECTORY}/${name(former)}`, endOffset: endUnknown ? undefined : 700 }
  const { details } = endMissing(DIRECTORY, lost, before, 'writes are missing')
  return { file: details['file'], offset: details['offset'], reason: details['reason'] }
}

test('the segment that a closing names was cut where it is there, and has gone where nothing of the owner is', () => {
  const cut = { file: `${DIRECTORY}/${name(4)}`, reason: 'writes are missing: it was cut' }
  assert.deepEqual(said({ last: 4, closed: 4, former: 4 }), { ...cut, offset: 700 })
  assert.deepEqual(said({ last: 4, closed: 4, former: 3 }), { ...cut, offset: 0 })
  assert.deepEqual(said({ last: 4, closed: 4 }), { ...cut, offset: 0 })
  assert.deepEqual(said({ last: 4, closed: 4, former: 4, endUnknown: true }), { ...cut, offset: 0 })
  assert.deepEqual(said({ closed: 4, first: true }), {
    file: `${DIRECTORY}/${name(4)}`,
    offset: 0,
    reason: 'writes are missing: the file has gone',
  })
})

test('of a log that was closed, the segment after the last that is there has gone', () => {
  assert.deepEqual(said({ last: 2, closed: 4, former: 2 }), {
    file: `${DIRECTORY}/${name(3)}`,
    offset: 0,
    reason: 'writes are missing: the file has gone',
  })
})

test('of a log that was not closed, the last segment was cut, or the one behind it has gone', () => {
  assert.deepEqual(said({ last: 2, former: 2 }), {
    file: `${DIRECTORY}/${name(2)}`,
    offset: 700,
    reason: `writes are missing: it was cut, or ${name(3)} behind it has gone`,
  })
})

test('where no segment is there, and no closing, the first is named if nothing can have been dropped', () => {
  assert.deepEqual(said({ first: true }), {
    file: `${DIRECTORY}/${name(1)}`,
    offset: 0,
    reason: 'writes are missing: the file has gone',
  })
  assert.deepEqual(said({}), {
    file: DIRECTORY,
    offset: 0,
    reason: `writes are missing: a file from ${name(1)} on has gone`,
  })
})
