/** The suite of engines, shown engines with one mistake each: it must notice, and say where to look. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Hash } from '../../src/kernel/hash.ts'
import { HandlerTable } from '../../src/jobs/handler-table.ts'
import { InlineScheduler } from '../../src/jobs/inline-scheduler.ts'
import type { EngineSuite, EngineUnderTest } from '../../src/testing/engine-bench.ts'
import { testEngine } from '../../src/testing/engine-conformance.ts'
import { PAGE_VIEWS_SUITE } from '../../examples/custom-engine/test/page-views-suite.ts'
import { SystemClock } from '../../src/system-clock.ts'
import { kvSuite } from './kv-suite.ts'

type Suite = Omit<EngineSuite, 'test' | 'name'>

const EXCHANGED = 'a file in the place of another is told as damage, and never answered from'
const SNAPSHOT = 'a snapshot shows its moment, whatever is written, flushed and compacted after it'

async function run(suite: Suite, promise: string): Promise<void> {
  const bodies = new Map<string, () => Promise<void>>()
  const collect = (name: string, _: unknown, body: () => Promise<void>): void => void bodies.set(name, body)
  testEngine({ test: collect, name: 'mistaken', ...suite })
  const body = bodies.get(`mistaken: ${promise}`)
  assert.ok(body !== undefined)
  await body()
}

/** Page views whose blocks have checksums with `seedOf` the seed in it. */
function pageViews(seedOf: (seed: number) => number): Suite {
  const changed = (hash: Hash): Hash => ({ ...hash, hash32: (bytes, seed) => hash.hash32(bytes, seedOf(seed)) })
  let hash: Hash | undefined
  return {
    ...PAGE_VIEWS_SUITE,
    open: (components) => {
      hash = changed(components.hash)
      return PAGE_VIEWS_SUITE.open({ ...components, hash, jobs: jobsOver(components, hash) })
    },
  }
  function jobsOver({ files }: Pick<Parameters<Suite['open']>[0], 'files'>, by: Hash): InlineScheduler {
    return new InlineScheduler({
      files,
      hash: by,
      clock: new SystemClock(),
      handlers: new HandlerTable(PAGE_VIEWS_SUITE.handlers),
    })
  }
}

test('checksums without a seed are noticed where one file stands in the place of another', async () => {
  await run(
    pageViews((seed) => seed),
    EXCHANGED,
  )
  await assert.rejects(
    run(
      pageViews(() => 0),
      EXCHANGED,
    ),
    /has the bytes of .* seeded with the name of the file/,
  )
})

test('a memtable that keeps nothing but the newest version is noticed by a snapshot', async () => {
  const suite = kvSuite()
  const forgetful: Suite = {
    ...suite,
    async open(components): Promise<EngineUnderTest> {
      const engine = await suite.open(components)
      const later = new Set<number>()
      return {
        ...engine,
        async write(number, durability) {
          await engine.write(number, durability)
          later.add(number)
        },
        async snapshot() {
          const snapshot = await engine.snapshot()
          later.clear()
          const content = async (): Promise<string> => {
            const lines = (await snapshot.content()).split('\n')
            return lines.filter((line) => ![...later].some((number) => line.includes(`value ${number} `))).join('\n')
          }
          return { content, close: () => snapshot.close() }
        },
      }
    },
  }
  await run(suite, SNAPSHOT)
  await assert.rejects(run(forgetful, SNAPSHOT), /later writes are not in it/)
})
