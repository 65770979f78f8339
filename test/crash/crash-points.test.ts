/** A sample of crash-point enumeration; all of it is in crash-points.extra.ts. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SeededRandom } from '../../src/testing/seeded-random.ts'
import { workloads } from './alphabet.ts'
import { CrashEnumeration } from './crash-enumeration.ts'
import { baseImage } from './crash-simulation.ts'

const SEED = 20260829

test('whatever a power cut leaves, before any operation of the disk, opens as a state that is not too old', async (context) => {
  const enumeration = new CrashEnumeration(await baseImage(), { seed: SEED, depth: 2, recrashOneOf: 200 })
  for (const workload of workloads(1, 1)) await enumeration.run(workload)
  const random = new SeededRandom(SEED)
  const longer = [...workloads(2, 3)]
  for (let left = 2; left > 0; left--) await enumeration.run(longer[random.below(longer.length)] ?? [])
  context.diagnostic(`seed ${SEED}: ${JSON.stringify(enumeration.report)}`)
  const { prefixes, distinct, recrashed } = enumeration.report
  assert.ok(prefixes > 500 && distinct > 500 && recrashed > 0)
})

test('so does what it leaves of a database that is being made', async () => {
  const nothing = { image: undefined, state: new Map<string, string>() }
  const enumeration = new CrashEnumeration(nothing, { seed: SEED, depth: 1, recrashOneOf: 1 })
  await enumeration.run(['put', 'sync'])
  assert.ok(enumeration.report.distinct > 50)
})

test('an oracle that is shown a lost write, or half a batch, says so', async () => {
  const { image, state } = await baseImage()
  for (const wrong of [new Map([...state, ['d', 'never written']]), new Map([...state].slice(1))]) {
    const enumeration = new CrashEnumeration({ image, state: wrong }, { seed: SEED, depth: 1, recrashOneOf: 1 })
    await assert.rejects(enumeration.run(['flush']), /found .*expected one of/)
  }
})
