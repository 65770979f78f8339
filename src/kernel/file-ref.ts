/** A reference to an immutable file: enough to open it anywhere and to notice any other content. Plain data. */

import type { FileName } from './ids.ts'

/** Names one content, for ever: plain data that may be stored, sent and compared. */
export interface FileRef {
  /** As the file store knows it. */
  readonly name: FileName
  /** Length, in bytes. */
  readonly bytes: number
  /** XXH64 of the whole content with seed 0, as 16 lower-case hexadecimal digits. */
  readonly checksum: string
}
