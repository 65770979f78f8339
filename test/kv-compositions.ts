/** Any sequence of commands over every composition answers as a sorted map does. */

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { test as nodeTest } from 'node:test'
import fc from 'fast-check'
import type { KvShard } from '../src/engines/kv/kv-shard.ts'
import { open } from '../src/local.ts'
import type { LocalOptions } from '../src/local-options.ts'
import { COMPOSITIONS } from './compositions.ts'
import type { Composition } from './compositions.ts'
import { ModelRun, commandLists } from './kv-model-run.ts'
import type { ModelledShard } from './kv-model-run.ts'
import { Simulation, TINY_SETTINGS } from './simulation.ts'
import type { SimulationSettings } from './simulation.ts'

/**
 * @param runs of each composition: on a simulated disk, and in a directory, where each opening costs syncs and threads;
 *   0 leaves those out
 */
export function testCompositions(
  test: typeof nodeTest,
  runs: { readonly simulated: number; readonly local: number },
): void {
  for (const composition of COMPOSITIONS) {
    const numRuns = composition.local === undefined ? runs.simulated : runs.local
    if (numRuns === 0) continue
    test(`${composition.name}: any sequence of commands answers as a sorted map does`, async () => {
      await fc.assert(
        fc.asyncProperty(commandLists, fc.integer(), async (each, seed) => {
          const shard = await start(composition, seed)
          try {
            const { policy = 'leveled' } = shard.settings
            await new ModelRun(shard, [policy], composition.syncReads !== false).all(each)
          } finally {
            await shard.stop()
          }
        }),
        { numRuns, includeErrorInReport: true },
      )
    })
  }
}

async function start(composition: Composition, seed: number): Promise<ModelledShard & { stop(): Promise<void> }> {
  const settings = { ...TINY_SETTINGS, ...composition.settings }
  if (composition.local !== undefined) return Directory.start(composition.local, settings)
  const simulation = new Simulation(seed, settings, composition.device)
  const composer = composition.composer?.(seed)
  if (composer !== undefined) simulation.composer = composer
  await simulation.open()
  return simulation
}

/** A database in a directory of its own. It can only be closed and opened: this process is the one that would die. */
class Directory implements ModelledShard {
  readonly #root: string
  readonly #options: LocalOptions
  settings: SimulationSettings
  db: KvShard

  private constructor(root: string, options: LocalOptions, settings: SimulationSettings, db: KvShard) {
    this.#root = root
    this.#options = options
    this.settings = settings
    this.db = db
  }

  static async start(options: LocalOptions, settings: SimulationSettings): Promise<Directory> {
    const root = mkdtempSync(join(tmpdir(), 'varve-composition-'))
    return new Directory(root, options, settings, await open(join(root, 'db'), { ...options, settings }))
  }

  async reopen(): Promise<void> {
    await this.db.close()
    this.db = await open(join(this.#root, 'db'), { ...this.#options, settings: this.settings })
  }

  kill(): Promise<void> {
    return this.reopen()
  }

  powerCut(): Promise<void> {
    return this.reopen()
  }

  async stop(): Promise<void> {
    await this.db.close()
    rmSync(this.#root, { recursive: true })
  }
}
