/** Files and heads on Ceph's S3 gateway, a real one: what the ports promise, and whole shards. */

import { test } from 'node:test'
import fc from 'fast-check'
import { SimulatedDevice } from '../../src/testing/simulated-device.ts'
import { ModelRun, commandLists } from '../kv-model-run.ts'
import { withPartsElsewhere } from '../parts-elsewhere.ts'
import { withPartsOnS3 } from '../parts-on-s3.ts'
import { Simulation, TINY_SETTINGS } from '../simulation.ts'
import { radosgwClient, radosgwOrSkip } from './radosgw-place.ts'
import { testS3Stores } from './s3-suites.ts'

// Each opens its shard several times, and every opening tries the store: half a second.
const MODEL_RUNS = 12
const MODEL_SEED = 20

const server = await radosgwOrSkip('files and heads on radosgw keep their promises')

if (server !== undefined) {
  let places = 0
  const newPrefix = (): string => `place-${++places}/`

  testS3Stores({
    test,
    name: 'radosgw',
    open: () => {
      const prefix = newPrefix()
      return Promise.resolve({ client: () => radosgwClient(server, prefix) })
    },
  })

  for (const [where, jobsElsewhere] of [
    ['files and heads on radosgw, a local journal', false],
    ['files and heads on radosgw, jobs elsewhere, a local journal', true],
  ] as const) {
    test(`${where}: any sequence of commands answers as a sorted map does`, async () => {
      await fc.assert(
        fc.asyncProperty(commandLists, fc.integer(), async (commands, seed) => {
          const [prefix, cacheDevice] = [newPrefix(), new SimulatedDevice()]
          const simulation = new Simulation(seed, TINY_SETTINGS)
          simulation.composer = {
            compose: async (parts) => {
              const onS3 = await withPartsOnS3(parts, radosgwClient(server, prefix), cacheDevice)
              return jobsElsewhere ? withPartsElsewhere(onS3) : onS3
            },
          }
          await simulation.open()
          try {
            await new ModelRun(simulation, ['leveled'], false).all(commands)
          } finally {
            await simulation.stop()
          }
        }),
        { numRuns: MODEL_RUNS, seed: MODEL_SEED, includeErrorInReport: true },
      )
    })
  }
}
