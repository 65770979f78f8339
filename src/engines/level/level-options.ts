/** From the options a caller gives to those of the engine; the one place that checks them. */

import { kindOf } from '../../kernel/kind-of.ts'
import type { KvOpenOptions } from '../kv/kv.ts'
import type { LevelOpenOptions } from './level.ts'

/** Options of classic-level that are numbers, and the setting of ours that does the same. */
const SETTING_NAMES = {
  cacheSize: 'cacheBytes',
  writeBufferSize: 'memtableBytes',
  blockSize: 'blockBytes',
  maxOpenFiles: 'openFilesMax',
  maxFileSize: 'tableBytes',
} as const satisfies Partial<Record<keyof LevelOpenOptions, keyof NonNullable<KvOpenOptions['settings']>>>

const TYPES = {
  createIfMissing: 'boolean',
  errorIfExists: 'boolean',
  readOnly: 'boolean',
  compression: 'boolean',
  cacheSize: 'number',
  writeBufferSize: 'number',
  blockSize: 'number',
  maxOpenFiles: 'number',
  maxFileSize: 'number',
  settings: 'object',
  clock: 'object',
  openShard: 'function',
} as const satisfies Partial<Record<keyof LevelOpenOptions, string>>

/** @throws {TypeError} an option has the wrong type; the message names it. Ranges are the engine's to check. */
export function resolveLevelOptions(options: LevelOpenOptions): KvOpenOptions {
  for (const name of Object.keys(TYPES) as (keyof typeof TYPES)[]) {
    const value: unknown = options[name]
    if (value !== undefined && kindOf(value) !== TYPES[name])
      throw new TypeError(`${name} must be of type ${TYPES[name]}, got ${kindOf(value)}`)
  }
  const settings: Record<string, unknown> = {}
  for (const name of Object.keys(SETTING_NAMES) as (keyof typeof SETTING_NAMES)[]) {
    if (options[name] !== undefined) settings[SETTING_NAMES[name]] = options[name]
  }
  if (options.compression !== undefined) settings['compression'] = options.compression ? 'lz4' : 'none'
  return {
    createIfMissing: options.createIfMissing ?? true,
    errorIfExists: options.errorIfExists ?? false,
    readOnly: options.readOnly ?? false,
    settings: { ...settings, ...options.settings },
  }
}
