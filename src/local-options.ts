/** What the local composition can be told, and the one place that checks it. */

import { kindOf } from './kernel/kind-of.ts'
import { checkObject, checkOptionNames } from './kernel/option-names.ts'
import { checkInteger } from './kernel/setting-check.ts'
import type { HandlerModule } from './jobs/handler-table.ts'
import { checkWrapping } from './local-wrappers.ts'
import type { LocalWrapping } from './local-wrappers.ts'

/** How a directory is used. Unknown names are a TypeError. */
export interface LocalOptions extends LocalWrapping {
  /** Where flushes and compactions run: on worker threads, or in slices on this one. Default `threads`. */
  readonly jobs?: 'threads' | 'inline'
  /** Entry module of the workers, for programs that are bundled. Default: the one in this package. */
  readonly workerUrl?: URL
  /**
   * Bytes set aside at most, so that on a full disk deletions and compaction can go on; 0 sets nothing aside. As much
   * as the files have, and never more than an eighth of the disk. Default: RESERVE_BYTES_DEFAULT. Range: 0 or more.
   */
  readonly reserveBytes?: number
}

/** The same module of job handlers, for this thread and for workers. */
export interface LocalHandlers {
  /** What `import * as module` gives. */
  readonly module: HandlerModule
  /** Where a worker finds it. */
  readonly url: URL
}

/** What a composition for another engine than the key-value one needs beside. */
export interface LocalComponentsOptions extends LocalOptions {
  /** By the specifier that the engine's plans name in `handler.module`. Default: none. */
  readonly handlers?: Readonly<Record<string, LocalHandlers>>
  /** Changes nothing and takes no lock. Default false. */
  readonly readOnly?: boolean
  /** Make the directory where it is missing. Default true. */
  readonly create?: boolean
}

/** Names of `LocalOptions`. */
export const LOCAL_OPTIONS: Readonly<Record<keyof LocalOptions, true>> = {
  jobs: true,
  workerUrl: true,
  reserveBytes: true,
  encryption: true,
  wrappers: true,
}
const COMPONENTS_OPTIONS: Readonly<Record<keyof LocalComponentsOptions, true>> = {
  ...LOCAL_OPTIONS,
  handlers: true,
  readOnly: true,
  create: true,
}

/** @throws {TypeError} {RangeError} the directory is no path, or an option is wrong or unknown; the message names it */
export function checkLocalComponents(directory: string, options: LocalComponentsOptions): void {
  checkOptionNames(options, COMPONENTS_OPTIONS)
  if (typeof directory !== 'string' || directory === '')
    throw new TypeError(`directory must be a path, got ${directory === '' ? 'an empty string' : kindOf(directory)}`)
  for (const name of ['readOnly', 'create'] as const) {
    const given: unknown = options[name]
    if (given !== undefined && typeof given !== 'boolean')
      throw new TypeError(`${name} must be a boolean, got ${kindOf(given)}`)
  }
  checkPlace(options)
  checkHandlers(options.handlers)
}

function checkPlace(options: LocalOptions): void {
  const { jobs, workerUrl, reserveBytes } = options
  if (jobs !== undefined && jobs !== 'threads' && jobs !== 'inline')
    throw new TypeError(`jobs must be 'threads' or 'inline', got ${String(jobs)}`)
  if (workerUrl !== undefined && !(workerUrl instanceof URL))
    throw new TypeError(`workerUrl must be a URL, got ${kindOf(workerUrl)}`)
  if (reserveBytes !== undefined) checkInteger('reserveBytes', reserveBytes, [0, Number.MAX_SAFE_INTEGER])
  checkWrapping(options)
}

function checkHandlers(handlers: LocalComponentsOptions['handlers']): void {
  if (handlers === undefined) return
  checkObject('handlers', handlers)
  for (const [name, each] of Object.entries(handlers)) {
    checkObject(`handlers of ${name}`, each)
    if (!(each.url instanceof URL)) throw new TypeError(`handlers of ${name} must have the URL of their module`)
  }
}
