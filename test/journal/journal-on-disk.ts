/** A small local journal whose files a test can look at and damage. */

import type { Device } from '../../src/kernel/device.ts'
import { VarveError } from '../../src/kernel/errors.ts'
import { loadHash } from '../../src/kernel/hash.ts'
import { epoch, journalPosition, shardId } from '../../src/kernel/ids.ts'
import type { Random } from '../../src/kernel/random.ts'
import { LocalJournalSystem } from '../../src/journal/local-journal-system.ts'
import type { Journal } from '../../src/journal/journal.ts'
import { MemoryStateKeeper } from '../../src/testing/memory-state-keeper.ts'
import { SimulatedDevice } from '../../src/testing/simulated-device.ts'

const hash = await loadHash()
export const SHARD = shardId('s')
const SETTINGS = { segmentBytes: 4096, preallocateBytes: 256, readBytes: 4096 }

/** Every epoch's first attempt is 1: tests name files. */
const FIRST: Random = { u32: () => 0 }

/** A local journal in tiny segments on a simulated device, and the head of its shard. */
export class JournalOnDisk {
  device = new SimulatedDevice()
  /** What the journal sees of the device. */
  seen: (device: Device) => Device = (device) => device
  readonly keeper = new MemoryStateKeeper()

  get system(): LocalJournalSystem {
    const device = this.seen(this.device)
    return new LocalJournalSystem({ device, directory: 'j', hash, random: FIRST, settings: SETTINGS })
  }

  open(at: number): Promise<Journal> {
    return this.system.open(SHARD, epoch(at), this.keeper)
  }

  /** Without the file that the next one will be, which is empty. */
  segments(): readonly string[] {
    return this.device.files().filter((path) => path.endsWith('.log') && this.device.inode(path).length > 0)
  }

  /** Everything a reader finds, or the error. */
  async read(from = 0, needed?: number): Promise<string[] | VarveError> {
    try {
      const start = needed === undefined ? undefined : journalPosition(needed)
      const reader = await this.system.openReadOnly(SHARD, this.keeper.state, start)
      const found: string[] = []
      await reader.replay(journalPosition(from), (payload) => void found.push(Buffer.from(payload).toString()))
      await reader.close()
      return found
    } catch (error) {
      if (error instanceof VarveError) return error
      throw error
    }
  }
}

type Functions = Partial<Pick<Device, 'open' | 'list' | 'stat'>>

/** What the journal sees: the device, with some of its functions in another way. */
export function changed(functions: Functions): (device: Device) => Device {
  return (device) =>
    new Proxy(device, {
      get(target, name) {
        const value: unknown = Reflect.get(functions, name) ?? Reflect.get(target, name)
        return typeof value === 'function' ? value.bind(target) : value
      },
    })
}

export function texts(count: number, tag: string): string[] {
  return Array.from({ length: count }, (_, index) => `${tag} ${index} `.padEnd(10 + ((index * 37) % 200), 'abc'))
}

export async function writeAll(
  journal: Journal,
  batches: readonly string[],
  durability: 'written' | 'synced',
): Promise<void> {
  // In twos, so that frames of one and of several batches occur.
  for (let index = 0; index < batches.length; index += 2) {
    const pair = batches.slice(index, index + 2).map((text) => journal.append(Buffer.from(text), durability))
    await Promise.all(pair.map((one) => one.synced ?? one.written))
  }
}
