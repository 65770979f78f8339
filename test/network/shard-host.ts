/** A process that owns the shard, or believes so: everything of it is elsewhere. */

import type { KvShard } from '../../src/engines/kv/kv-shard.ts'
import type { KvOpenOptions } from '../../src/engines/kv/kv.ts'
import { openKv } from '../../src/engines/kv/open-kv.ts'
import { RemoteFileStore } from '../../src/fs/remote/remote-file-store.ts'
import { RemoteHeadStore } from '../../src/fs/remote/remote-head-store.ts'
import { InlineScheduler } from '../../src/jobs/inline-scheduler.ts'
import { RemoteScheduler } from '../../src/jobs/remote/remote-scheduler.ts'
import { RemoteJournalSystem } from '../../src/journal/remote/remote-journal-system.ts'
import { shardId } from '../../src/kernel/ids.ts'
import { KIB } from '../../src/kernel/limits.ts'
import { ArenaPool } from '../../src/memtable/arena.ts'
import type { SeededRandom } from '../../src/testing/seeded-random.ts'
import type { SimulatedProcess } from '../../src/testing/simulated-scheduler.ts'
import type { Life } from './machine.ts'
import { BROKER, FILES, JOURNAL, clientOf, handlers, hash } from './services.ts'

export class ShardHost {
  readonly process: SimulatedProcess
  readonly db: KvShard

  private constructor(process: SimulatedProcess, db: KvShard) {
    this.process = process
    this.db = db
  }

  /** Takes the shard over. */
  static async open(
    life: Life,
    random: SeededRandom,
    settings: NonNullable<KvOpenOptions['settings']>,
    shard: string,
  ): Promise<ShardHost> {
    const clock = life.process
    const [fileClient, journalClient, jobClient] = [FILES, JOURNAL, BROKER].map((machine) =>
      clientOf(life, machine, random),
    ) as [ReturnType<typeof clientOf>, ReturnType<typeof clientOf>, ReturnType<typeof clientOf>]
    const close = async (): Promise<void> => {
      for (const client of [fileClient, journalClient, jobClient]) await client.close()
    }
    try {
      const files = new RemoteFileStore({ client: fileClient })
      const heads = new RemoteHeadStore({ client: fileClient })
      const journal = await RemoteJournalSystem.connect({ client: journalClient, random })
      const localJobs = new InlineScheduler({ files, hash, clock, handlers })
      const jobs = new RemoteScheduler({ client: jobClient, shard, clock, random, local: localJobs })
      const arenas = new ArenaPool({ chunkBytes: 4 * KIB })
      const parts = { shard: shardId(shard), files, heads, journal, jobs, localJobs, clock, random, hash, arenas }
      const db = await openKv({ ...parts, close }, { settings })
      return new ShardHost(clock, db)
    } catch (error) {
      await close()
      throw error
    }
  }

  /** What nobody else has changed before it was asked for: the journal says that the shard was still this host's. */
  async fresh(key: string): Promise<string | null> {
    const found = await this.db.get(Buffer.from(key), { fresh: true })
    return found === undefined ? null : Buffer.from(found).toString()
  }
}
