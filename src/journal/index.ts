/** `varve/journal`: the journal port, the local journal and the memory journal. */

export type {
  Append,
  Durability,
  Journal,
  JournalOpenOptions,
  JournalReader,
  JournalStateKeeper,
  JournalSupport,
  JournalSystem,
} from './journal.ts'
export { LocalJournalSystem } from './local-journal-system.ts'
export type { LocalJournalComponents } from './local-journal-system.ts'
export { LOCAL_JOURNAL_DEFAULTS } from './settings.ts'
export type { LocalJournalSettings } from './settings.ts'
export { MemoryJournalStorage, MemoryJournalSystem } from './memory-journal.ts'
export type { MemoryBatch, MemoryJournalOptions, MemoryLog } from './memory-journal.ts'
export { RenewedSharedJournal } from './renewed-shared-journal.ts'
export { SharedJournalSystem } from './shared-journal-system.ts'
export { SHARED_JOURNAL_DEFAULTS } from './shared-settings.ts'
export type { SharedJournalSettings } from './shared-settings.ts'
