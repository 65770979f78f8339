/** `varve/journal/nats`: journals on NATS JetStream. */

export { NatsJournalSystem } from './nats-journal-system.ts'
export type { NatsJournalOptions } from './nats-journal-system.ts'
export { NATS_JOURNAL_DEFAULTS } from './settings.ts'
export type { NatsJournalSettings } from './settings.ts'
