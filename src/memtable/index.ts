/** `varve/memtable`: the memtable port, the B+tree, and the oracle it is tested against. */

export { ARENA_DEFAULTS, ArenaPool } from './arena.ts'
export type { ArenaChunk, ArenaSettings } from './arena.ts'
export { BPlusTree } from './b-plus-tree.ts'
export type { BPlusTreeOptions } from './b-plus-tree.ts'
export { RANGE_DELETE } from './entry-operation.ts'
export type { EntryOperation, OrderedOperation, RangeDeletion } from './entry-operation.ts'
export type { Memtable, MemtableSupport } from './memtable.ts'
export type { OrderedLoad, OrderedMemtable, OrderedMemtableSupport, OrderedReader } from './ordered-memtable.ts'
export { openSortedArrayImage, SortedArrayMemtable } from './sorted-array.ts'
export type { SortedArrayImage, SortedRow, SortedVersion } from './sorted-array.ts'
export { openTreeImage } from './tree-reader.ts'
export type { TreeImage } from './tree-reader.ts'
