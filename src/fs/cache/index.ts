/** `varve/fs/cache`: a file store's chunks on a local disk, within a budget. */

export { CachedFileStore } from './cached-file-store.ts'
export type { CachedFileStoreOptions } from './cached-file-store.ts'
export { DiskCache } from './disk-cache.ts'
export type { DiskCacheOptions, DiskCacheUsage, WrittenChunk } from './disk-cache.ts'
export { DISK_CACHE_DEFAULTS } from './settings.ts'
export type { DiskCacheSettings } from './settings.ts'
export type { SlotContent } from './slot-record.ts'
export type { Slot } from './slot-table.ts'
