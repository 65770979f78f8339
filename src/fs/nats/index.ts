/** `varve/fs/nats`: heads on NATS JetStream. */

export { NatsHeadStore } from './nats-head-store.ts'
export type { NatsHeadStoreOptions } from './nats-head-store.ts'
