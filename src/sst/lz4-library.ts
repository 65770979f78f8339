/**
 * LZ4 for who has none of his own: loaded when it is first needed. With the addon that is never, and it would take 10 ms of
 * every start of a process or thread.
 */

import { createRequire } from 'node:module'
import type { compressSync, uncompressSync } from 'lz4-napi'
import { VarveError } from '../kernel/errors.ts'

interface Lz4Library {
  readonly compressSync: typeof compressSync
  readonly uncompressSync: typeof uncompressSync
}

const require = createRequire(import.meta.url)
let library: Lz4Library | undefined

/** @throws {VarveError} UNSUPPORTED — it does not load here, which says nothing of what is compressed */
export function lz4Library(): Lz4Library {
  return (library ??= load())
}

function load(): Lz4Library {
  try {
    return require('lz4-napi') as Lz4Library
  } catch (cause) {
    const remedy =
      'install the dependencies of varve on this platform, optional ones too, let Node load addons, and leave both out of ' +
      "a bundle; only what is new can do without, with compression: 'none'"
    throw new VarveError('UNSUPPORTED', `lz4-napi does not load here, and compressed blocks need it: ${remedy}`, {
      details: { capability: 'lz4' },
      cause,
    })
  }
}
