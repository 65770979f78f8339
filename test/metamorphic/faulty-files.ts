/** A wrapper of file stores for a database in a directory: the same faults on its thread and in its workers. */

import type { Clock } from '../../src/kernel/clock.ts'
import type { ErrorCode } from '../../src/kernel/errors.ts'
import { FaultyFileStore } from '../../src/fs/faulty-stores.ts'
import type { FileStore } from '../../src/fs/fs.ts'
import type { StoreOperation } from '../../src/fs/store-call.ts'
import { SeededRandom } from '../../src/testing/seeded-random.ts'
import { failure } from '../../src/testing/simulated-failure.ts'

export interface FaultSwitch {
  readonly seed: number
  /** Two numbers that all threads see: whether faults are on, and how many there have been. */
  readonly shared: Int32Array
}

export const FAULTS_ON = 0
export const FAULT_COUNT = 1

/** A disk that is full for a moment, a process without descriptors, a read that fails. */
const FAULTS: Partial<Record<StoreOperation, ErrorCode>> = {
  create: 'OUT_OF_FILES',
  write: 'NO_SPACE',
  open: 'OUT_OF_FILES',
  read: 'IO_FAILED',
}

export function withFaults(inner: FileStore, options: unknown, { clock }: { readonly clock: Clock }): FileStore {
  const { seed, shared } = options as FaultSwitch
  const random = new SeededRandom(seed)
  return new FaultyFileStore(inner, {
    clock,
    plan({ operation, name }) {
      const code = FAULTS[operation]
      if (code === undefined || Atomics.load(shared, FAULTS_ON) === 0 || !random.once(60)) return undefined
      Atomics.add(shared, FAULT_COUNT, 1)
      return { error: failure(code, operation, name) }
    },
  })
}
