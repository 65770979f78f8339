import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isCode } from '../../kernel/errors.ts'
import { kindAt, subjectOf } from './job-kind.ts'
import type { JobKind } from './job-kind.ts'
import { ShardTurns, fits, inOrder } from './kind-choice.ts'

const kind = (shard: string, given: Partial<JobKind> = {}): JobKind => ({
  priority: 1,
  memoryBytes: 0,
  labels: [],
  shard,
  ...given,
})

test('the subject of a job says of what kind it is, whatever its names are', () => {
  const kinds = [
    kind('orders'),
    kind('orders', { labels: ['gpu'] }),
    kind('a.b*>~ c', { labels: ['x+y', '', 'ä/\\'].toSorted(), priority: -2.5, memoryBytes: 3 * 2 ** 40 }),
    kind('-', { labels: ['-'], priority: Infinity }),
  ]
  for (const each of kinds) {
    const subject = subjectOf('queue', each)
    assert.match(subject, /^queue\.jobs(\.[A-Za-z0-9_%+-]+){4}$/)
    assert.deepEqual(kindAt('queue', subject), each)
  }
  assert.equal(new Set(kinds.map((each) => subjectOf('queue', each))).size, kinds.length)
  const reversed = kind('orders', { labels: ['b', 'a'] })
  assert.equal(subjectOf('q', reversed), subjectOf('q', kind('orders', { labels: ['a', 'b'] })))
})

test('what is the subject of no job has no kind', () => {
  for (const subject of [
    'q.jobs.1.0.-',
    'q.jobs.1.0.-.a.b',
    'other.jobs.1.0.-.a',
    'q.jobs.x.0.-.a',
    'q.jobs.1.0.+%zz.a',
  ])
    assert.equal(kindAt('q', subject), undefined, subject)
})

test('names that are too long for a subject are LIMIT_EXCEEDED', () => {
  assert.throws(
    () => subjectOf('q', kind('s'.repeat(200))),
    (error) => isCode(error, 'LIMIT_EXCEEDED'),
  )
})

test('a place takes what it has room and labels for, and one that is kept for urgent jobs only those', () => {
  const offer = { urgentOnly: false, memoryBytes: 100, labels: ['gpu', 'near'] }
  assert.ok(fits(kind('a', { memoryBytes: 100, labels: ['gpu'] }), offer))
  assert.ok(!fits(kind('a', { memoryBytes: 101 }), offer))
  assert.ok(!fits(kind('a', { labels: ['far'] }), offer))
  assert.ok(!fits(kind('a'), { ...offer, urgentOnly: true }))
  assert.ok(fits(kind('a', { priority: 0 }), { ...offer, urgentOnly: true }))
})

test('urgent jobs go first, then the shard with fewest at work, then the one that has waited longest, then priority', () => {
  const turns = new ShardTurns()
  const order = (...waiting: readonly [JobKind, number][]): readonly string[] =>
    inOrder(
      waiting.map(([each, leased]) => ({ subject: '', kind: each, leased })),
      turns,
    ).map((each) => `${each.kind.shard}${each.kind.priority}`)
  turns.take('a')
  turns.take('b')
  assert.deepEqual(
    order([kind('a', { priority: 2 }), 0], [kind('a'), 0], [kind('b'), 0], [kind('c', { priority: 9 }), 0]),
    ['c9', 'a1', 'a2', 'b1'],
  )
  assert.deepEqual(
    order([kind('a', { priority: 2 }), 1], [kind('a'), 0], [kind('b'), 0], [kind('b', { priority: 0 }), 3]),
    ['b0', 'a1', 'a2', 'b1'],
  )
  for (let shard = 0; shard < 2000; shard++) turns.take(`shard ${shard}`)
  assert.equal(turns.of('a'), 0, 'a shard that had no turn for long is forgotten')
  assert.ok(turns.of('shard 1999') > turns.of('shard 1500'))
})
