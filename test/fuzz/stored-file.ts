/** A file in a store, in one step. */

import type { FileRef } from '../../src/kernel/file-ref.ts'
import type { FileName } from '../../src/kernel/ids.ts'
import type { FileStore } from '../../src/fs/fs.ts'

export async function storeFile(files: FileStore, name: FileName, bytes: Uint8Array): Promise<FileRef> {
  const writer = await files.create(name)
  if (bytes.length > 0) await writer.write(bytes)
  return await writer.finish()
}
