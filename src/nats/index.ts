/** `varve/nats`: JetStream, as the parts of varve use it that are on NATS. */

export type { ApiAnswer, ApiError } from './api-answer.ts'
export { JetStream } from './jet-stream.ts'
export type { JetStreamOptions } from './jet-stream.ts'
export { JetStreamQueues } from './jet-stream-queues.ts'
export type {
  Delivery,
  Mail,
  Mailbox,
  NatsConnection,
  NatsHeaders,
  NatsMessage,
  NatsPublishOptions,
  NatsRequestOptions,
  NatsSubscribeOptions,
  NatsSubscription,
  PublishOptions,
  Published,
  StoredMessage,
  StreamSettings,
  StreamState,
  Streams,
  WorkQueues,
} from './nats.ts'
export { NATS_LOG_DEFAULTS } from './log-settings.ts'
export type { NatsLogSettings } from './log-settings.ts'
export { NATS_DEFAULTS } from './settings.ts'
export type { NatsSettings } from './settings.ts'
