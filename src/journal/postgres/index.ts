/** `varve/journal/postgres`: journals in a PostgreSQL database. */

export { POSTGRES_JOURNAL_PENDING_BYTES, PostgresJournalSystem } from './postgres-journal-system.ts'
export type { PostgresJournalOptions } from './postgres-journal-system.ts'
export { JOURNAL_TABLES } from './postgres-journal-table.ts'
