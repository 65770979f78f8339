/** `varve/fs`: the file-store and head-store ports, and what implements them here. */

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
} from './fs.ts'
export { DirectoryLock } from './directory-lock.ts'
export type { DirectoryLockOptions } from './directory-lock.ts'
export { LocalFileStore } from './local-file-store.ts'
export type { LocalFileStoreOptions } from './local-file-store.ts'
export { LocalHeadStore } from './local-head-store.ts'
export type { LocalHeadStoreOptions } from './local-head-store.ts'
export { MemoryFileStore } from './memory-file-store.ts'
export type { MemoryFileStoreOptions } from './memory-file-store.ts'
export { MemoryHeadStore } from './memory-head-store.ts'
export { NodeDevice } from './node-device.ts'
export type { NodeDeviceOptions } from './node-device.ts'
export { NodeProcessTable } from './node-process-table.ts'
export type { ProcessIdentity, ProcessTable } from './process-table.ts'
