/** `varve/fs`: the file-store and head-store ports, what implements them here, and what wraps them. */

export type {
  AbortOptions,
  CreateOptions,
  FileInfo,
  FileReader,
  FileStore,
  FileStoreSupport,
  FileWriter,
  Head,
  HeadStore,
  HeadVersion,
  OpenOptions,
  ReadIntent,
  ReadOptions,
  SpaceReserve,
} from './fs.ts'
export type { Secret } from './aes-gcm.ts'
export { DirectoryLock } from './directory-lock.ts'
export type { DirectoryLockOptions } from './directory-lock.ts'
export { EncryptedFileStore } from './encrypted-file-store.ts'
export type { EncryptionOptions } from './encrypted-file-store.ts'
export { ENCRYPTED_HEAD_BYTES_MAX, EncryptedHeadStore } from './encrypted-head-store.ts'
export { FaultyFileStore, FaultyHeadStore } from './faulty-stores.ts'
export type { Fault, FaultOptions, FaultPlan } from './faulty-stores.ts'
export { InterceptedFileStore } from './intercepted-file-store.ts'
export type { InterceptedFileStoreOptions } from './intercepted-file-store.ts'
export { InterceptedHeadStore } from './intercepted-head-store.ts'
export type { FileCalls } from './file-calls.ts'
export { NEVER_AT_HAND, NOT_AT_HAND } from './file-calls.ts'
export type { FileHold, FileHolds } from './file-holds.ts'
export { KeyRing } from './key-ring.ts'
export type { EncryptionKey } from './key-ring.ts'
export { LocalFileStore } from './local-file-store.ts'
export type { LocalFileStoreOptions } from './local-file-store.ts'
export { LocalHeadStore } from './local-head-store.ts'
export type { LocalHeadStoreOptions } from './local-head-store.ts'
export { LocalReserve, RESERVE_BYTES_DEFAULT } from './local-reserve.ts'
export type { LocalReserveOptions } from './local-reserve.ts'
export { MemoryFileStore } from './memory-file-store.ts'
export type { MemoryFileStoreOptions } from './memory-file-store.ts'
export { MemoryHeadStore } from './memory-head-store.ts'
export { NodeDevice } from './node-device.ts'
export type { NodeDeviceOptions } from './node-device.ts'
export { NodeProcessTable } from './node-process-table.ts'
export type { ProcessIdentity, ProcessTable } from './process-table.ts'
export { randomFaults } from './random-faults.ts'
export type { FaultRates } from './random-faults.ts'
export type { CallInterceptor, StoreCall, StoreOperation } from './store-call.ts'
export { TracedFileStore, TracedHeadStore } from './traced-stores.ts'
export type { TraceEvent, TraceOptions } from './traced-stores.ts'
