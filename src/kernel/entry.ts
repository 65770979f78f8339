/** What an entry of an ordered table says about its key. */

/** The key has this value. */
export const ENTRY_PUT = 1
/** The key is gone: hides older entries. */
export const ENTRY_DELETE = 2

/** A u8 on disk. 0 is never written, so that zeros are no entry; the rest is reserved. */
export type EntryKind = typeof ENTRY_PUT | typeof ENTRY_DELETE
