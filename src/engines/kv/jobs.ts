/** `varve/kv/jobs`: the handlers that workers run for the key-value engine. */

export { flush } from './flush.ts'
export { merge } from './merge.ts'
