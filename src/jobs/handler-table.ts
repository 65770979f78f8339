/**
 * The handlers a scheduler may run: finds the code that a `HandlerReference` names.
 *
 * A module of handlers exports, under a handler's name, an object `{ version, run }`. The version travels with every
 * job, so that a worker with older or newer code refuses what it would misunderstand.
 */

import { VarveError } from '../kernel/errors.ts'
import type { HandlerExport, HandlerReference, JobHandler } from './jobs.ts'

/** What `import * as module` gives. */
export type HandlerModule = Readonly<Record<string, unknown>>
/** Loads a module of handlers; called once, when the first job names it. */
export type HandlerModuleLoader = () => Promise<HandlerModule>

/** What a scheduler may run. A scheduler without this list would run whatever a job names. */
export class HandlerTable {
  readonly #modules: ReadonlyMap<string, HandlerModule | HandlerModuleLoader>
  readonly #importUnknown: ((specifier: string) => Promise<HandlerModule>) | undefined

  /**
   * @param modules package specifier → module namespace, or a function that loads it when first needed
   * @param importUnknown finds every other module; without it they are refused, as a worker that serves others must
   */
  constructor(
    modules: Readonly<Record<string, HandlerModule | HandlerModuleLoader>>,
    importUnknown?: (specifier: string) => Promise<HandlerModule>,
  ) {
    this.#modules = new Map(Object.entries(modules))
    this.#importUnknown = importUnknown
  }

  /** @throws {VarveError} INCOMPATIBLE — no such module or handler here, or of another version */
  async resolve(reference: HandlerReference): Promise<JobHandler> {
    const module = await this.#load(reference.module)
    const found = Object.hasOwn(module, reference.export) ? module[reference.export] : undefined
    if (!isHandlerExport(found)) throw incompatible(reference, undefined)
    if (found.version !== reference.version) throw incompatible(reference, found.version)
    return found.run
  }

  async #load(specifier: string): Promise<HandlerModule> {
    const known = this.#modules.get(specifier)
    if (known !== undefined && typeof known !== 'function') return known
    const load = known ?? (() => this.#importUnknown?.(specifier))
    try {
      // A loader is called for every job: `import()` keeps what it has loaded, and a failure may pass.
      const module = await load()
      if (module !== undefined) return module
    } catch (error) {
      throw new VarveError('INCOMPATIBLE', `handler module ${specifier} does not load`, {
        details: { what: 'handler module', expected: specifier },
        cause: error,
      })
    }
    throw new VarveError('INCOMPATIBLE', `handler module ${specifier} is not known here`, {
      details: { what: 'handler module', expected: specifier },
    })
  }
}

function isHandlerExport(value: unknown): value is HandlerExport {
  if (typeof value !== 'object' || value === null) return false
  const { version, run } = value as Partial<Record<keyof HandlerExport, unknown>>
  return typeof version === 'number' && typeof run === 'function'
}

function incompatible(reference: HandlerReference, found: number | undefined): VarveError {
  const name = `${reference.module}#${reference.export}`
  return new VarveError(
    'INCOMPATIBLE',
    found === undefined
      ? `${name} is not a job handler`
      : `job handler ${name} has version ${found}, the job needs ${reference.version}`,
    { details: { what: `job handler ${name}`, found, expected: reference.version } },
  )
}
