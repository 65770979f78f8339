/** A little of the fuzzing of every parser, the same every time; `fuzz.extra.ts` and `npm run soak` have more. */

import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { VarveError } from '../../src/kernel/errors.ts'
import { FuzzRun } from './fuzz-run.ts'
import type { FuzzTarget } from './fuzz-target.ts'
import { fuzzTargets } from './fuzz-targets.ts'
import { describeTarget } from './fuzz-watch.ts'

const SEED = 1
const SCALE = 300

test('whatever a parser of stored bytes is given, it answers or throws a typed error, in bounded time and memory', async (context) => {
  for (const target of await fuzzTargets()) {
    const count = Math.max(40, Math.ceil((SCALE * (target.share ?? 1000)) / 1000))
    const started = performance.now()
    const report = await new FuzzRun(target).run(SEED, 0, count)
    const named = { name: target.name, seconds: (performance.now() - started) / 1000, ...report }
    assert.deepEqual(report.failures, [], describeTarget(named, SEED).join('\n'))
    context.diagnostic(describeTarget(named, SEED).join('\n'))
  }
})

test('what real encoders made is accepted by every parser', async () => {
  for (const target of await fuzzTargets()) {
    for (const specimen of target.specimens) {
      for (const sealed of [true, false]) await target.parse(target.join(specimen, sealed))
    }
  }
})

const parsers: Readonly<Record<string, (bytes: Uint8Array) => void>> = {
  'an untyped error': (bytes) => {
    if (bytes.length > 20) throw new RangeError('Invalid typed array length')
  },
  'too much memory': (bytes) => {
    if (bytes.length > 20) new Uint8Array(8 * 1024 * 1024).fill(1)
  },
  'too much time': (bytes) => {
    for (let turn = 0, sum = 0; bytes.length > 20 && turn < 6_000_000; turn++) sum = Math.imul(sum + turn, 31)
  },
}

for (const [what, parse] of Object.entries(parsers)) {
  test(`a parser with ${what} fails, and the case is cut down`, async () => {
    const target: FuzzTarget = {
      name: 'bad',
      specimens: [[new Uint8Array(20)]],
      join: (pieces) => pieces,
      parse: ([bytes = new Uint8Array(0)]) => {
        parse(bytes)
        throw new VarveError('HEAD_CORRUPT', 'as it should')
      },
    }
    const { failures } = await new FuzzRun(target, 2).run(SEED, 31, 12)
    assert.ok(failures.length > 0)
    for (const { shortest } of failures) assert.ok(shortest.mutations.length <= 3, JSON.stringify(shortest))
  })
}

test('one command runs a case of a seed again, and says when there is no such parser', () => {
  const command = fileURLToPath(new URL('./main.js', import.meta.url))
  const run = (target: string) =>
    spawnSync(process.execPath, [command, `--target=${target}`, '--seed=3', '--case=77'], { encoding: 'utf8' })
  assert.match(run('table ranges').stdout, /^seed 3\ntable ranges: 1 cases/)
  assert.match(run('no parser').stderr, /there is no target no parser/)
})
