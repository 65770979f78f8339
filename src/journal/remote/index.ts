/** `varve/journal/remote`: journals that are elsewhere, and the service that offers them. */

export { JournalService } from './journal-service.ts'
export type { JournalServiceOptions } from './journal-service.ts'
export { REMOTE_JOURNAL_RESUME_MS, RemoteJournalSystem } from './remote-journal-system.ts'
export type { RemoteJournalOptions } from './remote-journal-system.ts'
