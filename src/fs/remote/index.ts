/** `varve/fs/remote`: files and heads that are elsewhere, and the services that offer them. */

export { FileService } from './file-service.ts'
export type { FileServiceOptions } from './file-service.ts'
export { HeadService } from './head-service.ts'
export type { HeadServiceOptions } from './head-service.ts'
export { RemoteFileStore } from './remote-file-store.ts'
export type { RemoteFileStoreOptions } from './remote-file-store.ts'
export { RemoteHeadStore } from './remote-head-store.ts'
