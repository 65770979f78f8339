/** The head of a shard as it is found, and whether this composition may open it. */

import { VarveError, isCode } from '../kernel/errors.ts'
import type { Head } from '../fs/fs.ts'
import type { Memtable } from '../memtable/memtable.ts'
import { decodeHead } from './head-content.ts'
import type { HeadContent } from './head-content.ts'
import type { Engine, ShardComponents, ShardOpenOptions } from './shard.ts'
import { outcomeOf, superseded } from './succession.ts'

export interface PresentHead {
  readonly stored: Head
  readonly content: HeadContent
}

export type StoredHead = PresentHead | { readonly stored: undefined; readonly content: undefined }

/** @throws {VarveError} NOT_FOUND, EXISTS, INCOMPATIBLE; HEAD_CORRUPT, also where it is lost and files are not */
export async function readHead<Operation, Table extends Memtable<Operation>, Shape>(
  components: ShardComponents,
  engine: Engine<Operation, Table, Shape>,
  options: ShardOpenOptions,
): Promise<StoredHead> {
  if (options.createIfMissing === false) return readPresentHead(components, engine, options)
  const head = await find(components, engine, options)
  return head ?? (await requireNoFiles(components)) ?? { stored: undefined, content: undefined }
}

/**
 * A shard whose heads were lost is no new one: a head of ours would say that it is empty, and `repair` would believe it.
 * undefined: there is nothing of a shard here.
 */
async function requireNoFiles(components: ShardComponents): Promise<undefined> {
  const [file] = await components.files.list(`${components.shard}.`).catch(noneWhereNoPlace)
  // Where another process has made the shard since, it has a head, and the takeover finds it.
  if (file === undefined || (await components.heads.read(components.shard)) !== undefined) return undefined
  const remedy = 'put its heads back, or repair it into another place'
  throw new VarveError('HEAD_CORRUPT', `${named(components)} has no head, but files such as ${file.name}: ${remedy}`, {
    details: { file: file.name },
  })
}

/** Who only reads makes no directory for files. */
function noneWhereNoPlace(error: unknown): [] {
  if (isCode(error, 'NOT_FOUND')) return []
  throw error
}

/** As `readHead`, for who creates none. */
export async function readPresentHead<Operation, Table extends Memtable<Operation>, Shape>(
  components: ShardComponents,
  engine: Engine<Operation, Table, Shape>,
  options: ShardOpenOptions = {},
): Promise<PresentHead> {
  const head = await find(components, engine, options)
  if (head !== undefined) return head
  await requireNoFiles(components)
  throw new VarveError('NOT_FOUND', `there is no ${named(components)}`, { details: { name: components.shard } })
}

async function find<Operation, Table extends Memtable<Operation>, Shape>(
  components: ShardComponents,
  engine: Engine<Operation, Table, Shape>,
  options: ShardOpenOptions,
): Promise<PresentHead | undefined> {
  const { shard, heads } = components
  const stored = await heads.read(shard)
  if (stored === undefined) return undefined
  if (options.errorIfExists === true) {
    throw new VarveError('EXISTS', `there is a ${named(components)} already`, { details: { name: shard } })
  }
  const content = decodeHead(stored.content, sourceOf(components))
  await requireInPlace(components, content)
  requireSame('journal', describe(content.journal), describe(components.journal))
  requireSame('engine', describe(content.engine), describe(engine))
  for (const name of new Set([...Object.keys(content.identity), ...Object.keys(engine.identity)])) {
    requireSame(name, content.identity[name], engine.identity[name])
  }
  return { stored, content }
}

/** @throws {VarveError} NOT_FOUND — it is no shard yet, and may never be; SUPERSEDED — it is none any more */
async function requireInPlace(components: ShardComponents, { succession }: HeadContent): Promise<void> {
  const { shard, heads } = components
  if (succession === undefined) return
  if (succession.state === 'void') throw notYet(components)
  const outcome = await outcomeOf(heads, succession.lead)
  if (succession.state === 'forming' && outcome !== 'committed') throw notYet(components)
  if (succession.state === 'sealed' && outcome === 'committed') throw superseded(shard, succession.successors)
}

function notYet(components: ShardComponents): VarveError {
  return new VarveError('NOT_FOUND', `${named(components)} was to come of others, and has not`, {
    details: { name: components.shard },
  })
}

export function named({ shard, location }: ShardComponents): string {
  return location === undefined ? `shard ${shard}` : `shard ${shard} in ${location}`
}

export function sourceOf(components: ShardComponents): string {
  return `head of ${components.shard}`
}

function describe(part: { readonly name: string; readonly version: number }): string {
  return `${part.name} version ${part.version}`
}

function requireSame(what: string, found: string | undefined, expected: string | undefined): void {
  if (found === expected) return
  throw new VarveError(
    'INCOMPATIBLE',
    `the shard was written with ${what} ${String(found)}, not with ${String(expected)}; nothing was changed`,
    {
      details: { what, found, expected },
    },
  )
}
