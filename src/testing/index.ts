/**
 * `varve/testing`: the conformance suite of every port, and what stands in for the world in tests: a disk that can be
 * cut from power, a clock that stands still, chance from a seed.
 */

export { testDevice } from './device-conformance.ts'
export type { DeviceSuite, DeviceUnderTest } from './device-conformance.ts'
export { testFileStore } from './file-store-conformance.ts'
export type { FileStorePlace, FileStoreSuite } from './file-store-conformance.ts'
export { testHeadStore } from './head-store-conformance.ts'
export type { HeadStorePlace, HeadStoreSuite } from './head-store-conformance.ts'
export { JobBench } from './job-bench.ts'
export type { JobSchedulerUnderTest } from './job-bench.ts'
export { testJobScheduler } from './job-scheduler-conformance.ts'
export type { JobSchedulerSuite } from './job-scheduler-conformance.ts'
export { MemoryStateKeeper, testJournal } from './journal-conformance.ts'
export type { JournalPlace, JournalSuite } from './journal-conformance.ts'
export { testMemtable } from './memtable-conformance.ts'
export type { MemtableSuite } from './memtable-conformance.ts'
export { PoorJobScheduler } from './poor-job-scheduler.ts'
export type { PoorJobSchedulerOptions } from './poor-job-scheduler.ts'
export { SeededRandom } from './seeded-random.ts'
export { SimulatedClock } from './simulated-clock.ts'
export { SimulatedDevice, failure } from './simulated-device.ts'
export type { CrashPolicy, DeviceOperation, OperationName, SimulatedDeviceOptions } from './simulated-device.ts'
export type { KeptChanges, SimulatedInode } from './simulated-inode.ts'
export { testTableFormat } from './table-format-conformance.ts'
export type { TableFormatSuite } from './table-format-conformance.ts'
