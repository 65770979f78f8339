/** `varve/sst`: the table-format port, the row format, the caches. */

export { BlockCache } from './block-cache.ts'
export type { BlockCacheStatistics } from './block-cache.ts'
export { BLOCK_CACHE_DEFAULTS } from './block-cache-settings.ts'
export type { BlockCacheSettings } from './block-cache-settings.ts'
export type { BlockCodecName } from './block-codec.ts'
export type { BlockMemory, BlockPiece } from './block-memory.ts'
export { BlockFetch } from './block-fetch.ts'
export type { BlockSource } from './block-fetch.ts'
export { CachedBlock } from './block-queue.ts'
export type { BlockQueue, CachedBlockOwner } from './block-queue.ts'
export { KEY_COLUMN_FORMAT } from './key-column.ts'
export type { KeyColumnBlock, KeyColumnPlace, KeyColumnSummary } from './key-column.ts'
export { KeyColumnReader } from './key-column-reader.ts'
export { rowTableFormat } from './row-format.ts'
export { ROW_TABLE_DEFAULTS } from './row-settings.ts'
export type { RowTableSettings } from './row-settings.ts'
export { RunCursor } from './run-cursor.ts'
export type { RunTable } from './run-cursor.ts'
export type {
  TableFormat,
  TableProperties,
  TableReader,
  TableReaderOptions,
  TableSummary,
  TableWriter,
  TableWriterOptions,
} from './sst.ts'
export { TableCache } from './table-cache.ts'
export type { TableCacheStatistics } from './table-cache.ts'
export { TABLE_CACHE_DEFAULTS } from './table-cache-settings.ts'
export type { TableCacheSettings } from './table-cache-settings.ts'
export type { TableHandle } from './table-handle.ts'
export type { TableSource } from './table-source.ts'
