/** `varve/fs/postgres`: heads in a PostgreSQL database. Files belong where bulk is cheap: beside it, on disks or in S3. */

export { HEAD_TABLES, PostgresHeadStore } from './postgres-head-store.ts'
export type { PostgresHeadStoreOptions } from './postgres-head-store.ts'
