/** Files for tests: bytes from a seed, written and finished. */

import type { FileRef } from '../kernel/file-ref.ts'
import type { FileName } from '../kernel/ids.ts'
import type { FileStore } from '../fs/fs.ts'
import { SeededRandom } from './seeded-random.ts'

/** Writes and finishes a file; aborts it where that fails. */
export async function putFile(store: FileStore, name: FileName, content: Uint8Array): Promise<FileRef> {
  const writer = await store.create(name)
  try {
    await writer.write(content)
    return await writer.finish()
  } catch (error) {
    await writer.abort()
    throw error
  }
}

export function randomBytes(seed: number, length: number): Uint8Array {
  const random = new SeededRandom(seed)
  return Uint8Array.from({ length }, () => random.u32())
}
