/**
 * LZ4 for who has none of his own: loaded when it is first needed. With the addon that is never, and it would take 10 ms of
 * every start of a process or thread.
 */

import { createRequire } from 'node:module'
import type { compressSync, uncompressSync } from 'lz4-napi'

interface Lz4Library {
  readonly compressSync: typeof compressSync
  readonly uncompressSync: typeof uncompressSync
}

const require = createRequire(import.meta.url)
let library: Lz4Library | undefined

export function lz4Library(): Lz4Library {
  return (library ??= require('lz4-napi') as Lz4Library)
}
