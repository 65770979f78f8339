/** What a worker thread of the default composition is made of: its own file store on the same directory. */

import type { Clock } from './kernel/clock.ts'
import type { Hash } from './kernel/hash.ts'
import type { FileStore } from './fs/fs.ts'
import { LocalFileStore } from './fs/local-file-store.ts'
import { NodeDevice } from './fs/node-device.ts'
import { SystemClock } from './system-clock.ts'

export async function openFiles(options: unknown, parts: { readonly hash: Hash }): Promise<FileStore> {
  const { directory } = options as { readonly directory: string }
  return await LocalFileStore.open({ device: new NodeDevice(directory), directory: 'files', hash: parts.hash })
}

export function openClock(): Clock {
  return new SystemClock()
}
