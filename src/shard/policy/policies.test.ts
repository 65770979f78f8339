/**
 * All policies against a map: files with real keys, jobs whose outputs come later and in any order, flushes in between,
 * ranges compacted by hand, another policy from one choice to the next.
 */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { fileName } from '../../kernel/ids.ts'
import type { FileName } from '../../kernel/ids.ts'
import { chooseFifo } from './fifo.ts'
import { Layout } from './layout.ts'
import { chooseLazyLeveled } from './lazy-leveled.ts'
import { chooseLeveled } from './leveled.ts'
import type { PolicyChange, PolicyChoice, PolicyFile, PolicyInput } from './policy.ts'
import { chooseRange } from './range.ts'
import { chooseTiered } from './tiered.ts'

const KEY_COUNT = 40

const settings = {
  level0Files: 3,
  level0FilesStop: 8,
  levelBytesBase: 12,
  levelSizeRatio: 2,
  levelCount: 4,
  tierRuns: 3,
  fifoBytesMax: 60,
}

const POLICIES = {
  leveled: chooseLeveled,
  tiered: chooseTiered,
  'lazy-leveled': chooseLazyLeveled,
  fifo: chooseFifo,
}

type PolicyName = keyof typeof POLICIES

interface Entry {
  readonly seqno: number
  readonly deleted: boolean
}

interface Table extends PolicyFile<number> {
  readonly content: ReadonlyMap<number, Entry>
}

interface Job {
  readonly choice: PolicyChoice
  readonly inputs: readonly Table[]
}

/** A shard of which every key is known. */
class World {
  readonly latest = new Map<number, Entry>()
  #tables = new Map<FileName, Table>()
  #jobs: Job[] = []
  #names = 0
  #seqno = 0
  /** Highest seqno among what was forgotten. */
  #forgotten = 0

  flush(writes: readonly { readonly key: number; readonly deleted: boolean }[]): void {
    const entries = new Map<number, Entry>()
    for (const { key, deleted } of writes) {
      const entry = { seqno: ++this.#seqno, deleted }
      entries.set(key, entry)
      this.latest.set(key, entry)
    }
    this.#add(entries, 0)
  }

  get input(): PolicyInput<number, typeof settings> {
    const changes: readonly PolicyChange[] = this.#jobs.map(({ choice }) => choice)
    return { files: [...this.#tables.values()], changes, compare: (a, b) => a - b, settings }
  }

  get jobCount(): number {
    return this.#jobs.length
  }

  start(choice: PolicyChoice): void {
    const taken = new Set(this.#jobs.flatMap(({ choice: { inputs } }) => inputs))
    for (const name of choice.inputs) assert.ok(!taken.has(name), 'an input is taken')
    this.#jobs.push({ choice, inputs: choice.inputs.map((name) => this.#tables.get(name) as Table) })
  }

  land(index: number): void {
    const job = this.#jobs[index % this.#jobs.length]
    if (job === undefined) return
    this.#jobs = this.#jobs.filter((each) => each !== job)
    for (const { name } of job.inputs) this.#tables.delete(name)
    if (job.choice.type === 'move') {
      for (const table of job.inputs) this.#tables.set(table.name, { ...table, level: job.choice.level })
    } else if (job.choice.type === 'rewrite') {
      this.#rewrite(job.inputs, job.choice.level, job.choice.bottom)
    } else {
      for (const { seqnoLast } of job.inputs) this.#forgotten = Math.max(this.#forgotten, seqnoLast)
    }
    this.check()
  }

  check(): void {
    const levels: Table[][] = []
    for (const table of this.#tables.values()) (levels[table.level] ??= []).push(table)
    const ordered = [...(levels[0] ?? [])].sort((a, b) => b.seqnoLast - a.seqnoLast)
    for (const [level, tables = []] of levels.entries()) {
      if (level === 0) continue
      tables.sort((a, b) => a.first - b.first)
      for (const [index, table] of tables.entries()) {
        assert.ok(index === 0 || (tables[index - 1] as Table).last < table.first, `level ${level} overlaps`)
      }
      ordered.push(...tables)
    }
    for (let key = 0; key < KEY_COUNT; key++) {
      const found = ordered.find(({ content }) => content.has(key))?.content.get(key)
      const expected = this.latest.get(key)
      const seen = found?.deleted === true ? undefined : found?.seqno
      const kept = expected?.deleted === true ? undefined : expected?.seqno
      // What is forgotten may be missing, but never gives way to something older.
      const mayBeMissing = kept !== undefined && kept <= this.#forgotten && seen === undefined
      assert.ok(seen === kept || mayBeMissing, `key ${key} reads as of ${seen}, was written at ${kept}`)
    }
  }

  /** In files of few entries, the first of which spans what the others leave. */
  #rewrite(inputs: readonly Table[], level: number, bottom: boolean): void {
    const merged = new Map<number, Entry>()
    for (const { content } of inputs) for (const [key, entry] of content) if (!merged.has(key)) merged.set(key, entry)
    const kept = [...merged].filter(([, { deleted }]) => !(bottom && deleted)).sort(([a], [b]) => a - b)
    for (let at = 0; at < kept.length; at += 5) this.#add(new Map(kept.slice(at, at + 5)), level)
  }

  #add(content: ReadonlyMap<number, Entry>, level: number): void {
    const keys = [...content.keys()]
    const table: Table = {
      name: fileName(`f${++this.#names}`),
      bytes: content.size,
      entries: content.size,
      deletions: [...content.values()].filter(({ deleted }) => deleted).length,
      level,
      first: Math.min(...keys),
      last: Math.max(...keys),
      seqnoLast: Math.max(...[...content.values()].map(({ seqno }) => seqno)),
      content,
    }
    this.#tables.set(table.name, table)
  }
}

const bound = fc.option(fc.nat(KEY_COUNT - 1), { nil: undefined })
const write = fc.record({ key: fc.nat(KEY_COUNT - 1), deleted: fc.integer({ max: 3, min: 0 }).map((n) => n === 0) })
// Narrow ones too, so that there are gaps for others to get into.
const narrow = fc
  .tuple(fc.nat(KEY_COUNT - 4), fc.array(fc.tuple(fc.nat(3), fc.boolean()), { minLength: 1, maxLength: 3 }))
  .map(([from, near]) => near.map(([offset, deleted]) => ({ key: from + offset, deleted })))

const step = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant('flush' as const),
      writes: fc.oneof(narrow, fc.array(write, { minLength: 1, maxLength: 8 })),
    }),
  },
  { weight: 6, arbitrary: fc.record({ do: fc.constant('choose' as const), index: fc.nat(3) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('land' as const), index: fc.nat(5) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('range' as const), first: bound, last: bound }) },
)

function runs(
  steps: readonly (typeof step extends fc.Arbitrary<infer Step> ? Step : never)[],
  names: PolicyName[],
): void {
  const world = new World()
  let policy = 0
  for (const each of steps) {
    if (each.do === 'flush') world.flush(each.writes)
    else if (each.do === 'land' && world.jobCount > 0) world.land(each.index)
    else if (each.do === 'choose') {
      // Any of the choices, as a busier shard might have got to.
      const choices = POLICIES[names[policy++ % names.length] as PolicyName](world.input)
      const choice = choices[each.index % Math.max(1, choices.length)]
      if (choice !== undefined) world.start(choice)
    } else if (each.do === 'range') {
      const choice = chooseRange(world.input, { first: each.first, last: each.last }, 1)
      assert.ok(choice !== 'blocked' || world.jobCount > 0, 'blocked, but nothing runs')
      if (typeof choice === 'object') world.start(choice)
    }
    world.check()
  }
  while (world.jobCount > 0) world.land(0)
}

const attempt = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant('flush' as const),
      writes: fc.oneof(narrow, fc.array(write, { minLength: 1, maxLength: 8 })),
    }),
  },
  {
    weight: 10,
    arbitrary: fc.record({
      do: fc.constantFrom('place' as const, 'place' as const, 'drop' as const),
      picks: fc.array(fc.nat(30), { minLength: 1, maxLength: 4 }),
      level: fc.integer({ min: 1, max: 5 }),
      withLower: fc.boolean(),
      rewrite: fc.boolean(),
    }),
  },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('land' as const), index: fc.nat(5) }) },
)

test('whatever else a policy might ask for, the layout admits only what keeps runs disjoint and the newest found', () => {
  let admitted = 0
  fc.assert(
    fc.property(fc.array(attempt, { maxLength: 200, size: 'max' }), (attempts) => {
      const world = new World()
      for (const each of attempts) {
        const layout = new Layout(world.input)
        if (each.do === 'flush') world.flush(each.writes)
        else if (each.do === 'land') world.land(each.index)
        else {
          const files = layout.levels.flat()
          const picked = [...new Set(each.picks.flatMap((pick) => files[pick % files.length] ?? []))]
          if (each.do === 'place') {
            const choice = layout.place(
              each.withLower ? layout.withLower(picked, each.level) : picked,
              each.level,
              each.rewrite,
            )
            if (choice !== undefined) admitted++
            if (choice !== undefined) world.start(choice)
          } else if (picked.length > 0 && layout.mayDrop(picked)) {
            world.start({ type: 'drop', inputs: picked.map(({ name }) => name), level: undefined })
          }
        }
        world.check()
      }
      while (world.jobCount > 0) world.land(0)
    }),
    { numRuns: 500 },
  )
  assert.ok(admitted > 500, 'hardly anything was admitted')
})

for (const name of Object.keys(POLICIES) as PolicyName[]) {
  test(`${name}: whatever is chosen and however it ends, runs are disjoint and reads find the newest`, () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 120, size: 'max' }), (steps) => runs(steps, [name])),
      { numRuns: 150 },
    )
  })

  test(`${name}: it comes to rest with nothing left to do`, () => {
    fc.assert(
      fc.property(
        fc.array(fc.array(write, { minLength: 1, maxLength: 8 }), { maxLength: 60, size: 'max' }),
        (flushes) => {
          const world = new World()
          for (const writes of flushes) {
            world.flush(writes)
            for (let count = 0; ; count++) {
              assert.ok(count < 100, 'it never rests')
              const [choice] = POLICIES[name](world.input)
              if (choice === undefined) break
              world.start(choice)
              world.land(0)
            }
          }
        },
      ),
      { numRuns: 100 },
    )
  })
}

test('with another policy from one choice to the next, runs are disjoint and reads find the newest', () => {
  const names = fc.shuffledSubarray(Object.keys(POLICIES) as PolicyName[], { minLength: 2 })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 150, size: 'max' }), names, (steps, policies) => runs(steps, policies)),
    { numRuns: 500 },
  )
})
