/**
 * LZ4 for who has none of his own: loaded when it is first needed. With the addon that is never, and it would take 10 ms of
 * every start of a process or thread.
 */

import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
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

/**
 * For who will compress: Node loads addons at all, ours or this one. Told by a file that is not there in a tenth of a
 * millisecond, where resolving the package takes ten.
 *
 * @throws {VarveError} UNSUPPORTED — it loads none, as with `node --no-addons`
 */
export function requireAddons(): void {
  try {
    process.dlopen({ exports: {} }, fileURLToPath(new URL('./no-addon.node', import.meta.url)))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ERR_DLOPEN_DISABLED') throw doesNotLoad(error)
  }
}

function load(): Lz4Library {
  try {
    return require('lz4-napi') as Lz4Library
  } catch (cause) {
    throw doesNotLoad(cause)
  }
}

function doesNotLoad(cause: unknown): VarveError {
  const remedy =
    'install the dependencies of varve on this platform, optional ones too, let Node load addons, and leave both out of ' +
    "a bundle; only what is new can do without, with compression: 'none'"
  return new VarveError('UNSUPPORTED', `lz4-napi does not load here, and compressed blocks need it: ${remedy}`, {
    details: { capability: 'lz4' },
    cause,
  })
}
