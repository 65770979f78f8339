/**
 * Opening a shard: taking it over, wherever it was open before.
 *
 *      read head ──► compare-and-set epoch + 1 ──► journal fences the old epoch ──► read head again ──► replay ──► serve
 *
 * Before the first of these what the head says of the files is looked at: who cannot read it changes nothing.
 *
 * No data moves. From the first compare-and-set on the old owner's commits fail, from the fence on its appends are not
 * acknowledged, however long it slept. Either order alone would let the winner of the head and the winner of the journal
 * differ (SlateDB's RFC-0030): hence the second look at the head.
 */

import { abortable } from '../kernel/abortable.ts'
import { VarveError, isCode, throwIfAborted } from '../kernel/errors.ts'
import { epoch, EPOCH_ZERO } from '../kernel/ids.ts'
import type { ShardId } from '../kernel/ids.ts'
import { nonce } from '../kernel/random.ts'
import type { FileStore, HeadStore } from '../fs/fs.ts'
import type { JournalStateKeeper } from '../journal/journal.ts'
import type { Memtable } from '../memtable/memtable.ts'
import { Committer } from './committer.ts'
import { byOwner } from './file-names.ts'
import { foresee } from './foreseen.ts'
import type { Foreseen } from './foreseen.ts'
import { decodeHead, encodeHead } from './head-content.ts'
import type { HeadContent } from './head-content.ts'
import { ImpatientFiles, ImpatientHeads } from './impatient-stores.ts'
import { EMPTY_EDIT_LOG, loadManifest } from './manifest.ts'
import { requireOpen } from './open-parts.ts'
import { OwnedShard } from './owned-shard.ts'
import { ReadOnlyShard } from './read-only-shard.ts'
import { replayInto } from './replay.ts'
import { resolveShardSettings } from './settings.ts'
import type { Engine, Shard, ShardComponents, ShardOpenOptions } from './shard.ts'
import type { ShardSettings } from './settings.ts'
import { readHead, readPresentHead, sourceOf } from './stored-head.ts'
import type { PresentHead, StoredHead } from './stored-head.ts'
import { dropStalePins, giveUpForsaken } from './stale-pins.ts'
import { decide, superseded } from './succession.ts'
import { TableStack } from './table-stack.ts'

/**
 * Opens the shard named in `components` with `engine`.
 *
 * @throws {VarveError} NOT_FOUND — it does not exist and `createIfMissing` is false; EXISTS — it does, and `errorIfExists`
 * @throws {VarveError} INCOMPATIBLE — stored by another engine, journal, identity or a newer format; nothing was changed
 * @throws {VarveError} FENCED — another process took it over meanwhile; CLOSED — files or jobs of `components` are
 * @throws {VarveError} HEAD_CORRUPT, JOURNAL_CORRUPT, FILE_MISSING, and what the components throw
 */
export async function openShard<Operation, Table extends Memtable<Operation>, Shape>(
  components: ShardComponents,
  engine: Engine<Operation, Table, Shape>,
  options: ShardOpenOptions = {},
): Promise<Shard<Operation, Table, Shape>> {
  const { reserve, files, jobs, localJobs } = components
  await requireOpen(files, options.readOnly === true ? [] : [jobs, localJobs])
  try {
    return await openOnce(components, engine, options)
  } catch (error) {
    // Whoever wants to delete has to be able to open first.
    if (!isCode(error, 'NO_SPACE') || reserve === undefined || reserve.heldBytes === 0) throw error
    await reserve.release()
    return openOnce(components, engine, options)
  }
}

async function openOnce<Operation, Table extends Memtable<Operation>, Shape>(
  components: ShardComponents,
  engine: Engine<Operation, Table, Shape>,
  options: ShardOpenOptions,
): Promise<Shard<Operation, Table, Shape>> {
  const settings = resolveShardSettings(options.settings)
  const { signal } = options
  const opening = impatient(components, signal)
  if (options.readOnly === true) return openNewestReadOnly(components, opening, engine, settings, options)
  const head = await readHead(opening, engine, options)
  const foreseen = await foresee(opening, engine, head.content)
  throwIfAborted(signal)
  const committer = await takeOver(components, opening.heads, engine, head, signal)
  try {
    return await recover(components, engine, options, settings, committer, foreseen)
  } catch (error) {
    // What looks damaged may be what another owner has made, or removed, since.
    if (isDamage(error)) await committer.check()
    throw error
  }
}

/** As they are for who is opening a shard: what `signal` aborts is not waited for. */
function impatient(components: ShardComponents, signal: AbortSignal | undefined): ShardComponents {
  if (signal === undefined) return components
  const { files, heads } = components
  return { ...components, files: new ImpatientFiles(files, signal), heads: new ImpatientHeads(heads, signal) }
}

/** From the head that is ours to a shard that serves. */
async function recover<Operation, Table extends Memtable<Operation>, Shape>(
  components: ShardComponents,
  engine: Engine<Operation, Table, Shape>,
  options: ShardOpenOptions,
  settings: ShardSettings,
  committer: Committer,
  foreseen: Foreseen<Shape> | undefined,
): Promise<Shard<Operation, Table, Shape>> {
  const { shard, journal: journals } = components
  const { signal } = options
  const { files, heads } = impatient(components, signal)
  const { content } = committer
  // Final already: since the compare-and-set nobody else can commit.
  const known = foreseen?.edits === content.edits ? foreseen : undefined
  const manifest = known?.manifest ?? (await loadManifest(content, files, components.hash, sourceOf(components)))
  const keeper: JournalStateKeeper = {
    get state() {
      return committer.content.journalState
    },
    commit: async (journalState) => void (await committer.commit(() => ({ journalState }))),
  }
  const journal = await journals
    .open(shard, content.epoch, keeper, manifest.replayFrom, { signal })
    .catch((error: unknown) => {
      throw ofLaterOwner(error, shard, content.epoch) ?? error
    })
  try {
    await abortable(committer.check(), signal)
    await abortable(dropStalePins(committer, shard, heads), signal)
    const others = [...byOwner([...manifest.files.keys()]).keys()].filter((other) => other !== shard)
    // What cannot be read costs space, and is the next owner's.
    await giveUpForsaken(shard, others, heads).catch(() => undefined)
    const tables = new TableStack<Table>(engine.memtable(), manifest.replayFrom)
    const { seqnoLast } = await replayInto(
      { journal, engine, clock: components.clock },
      tables,
      manifest.replayFrom,
      manifest.seqnoLast,
      settings.memtableBytes,
    )
    throwIfAborted(options.signal)
    const opened = new OwnedShard(components, engine, settings, {
      committer,
      journal,
      manifest,
      shape: known?.shape,
      tables,
      seqnoLast,
    })
    await opened.start()
    return opened
  } catch (error) {
    await journal.close()
    throw error
  }
}

/**
 * Fenced by a later epoch than ours. It was in the head before it was in the journal: if the head does not come to say so, as
 * damage makes the caller look, it is not the head of that journal, or an older one.
 */
function ofLaterOwner(error: unknown, shard: ShardId, ours: number): VarveError | undefined {
  const found = isCode(error, 'FENCED') ? Number(error.details['epoch']) : 0
  if (!(found > ours)) return undefined
  const reason = `its last owner had epoch ${found}, and the head knows of none after ${ours - 1}`
  const remedy = 'the head is an older one, or two databases were copied into one place'
  return new VarveError(
    'JOURNAL_CORRUPT',
    `the journal of shard ${shard} is not that of its head: ${reason}; ${remedy}`,
    {
      details: { shard, reason },
      cause: error,
    },
  )
}

/** Makes this process the owner: the head gets the next epoch and a nonce of ours. */
async function takeOver<Operation, Table extends Memtable<Operation>, Shape>(
  components: ShardComponents,
  heads: HeadStore,
  engine: Engine<Operation, Table, Shape>,
  head: StoredHead,
  signal: AbortSignal | undefined,
): Promise<Committer> {
  throwIfAborted(signal)
  const { shard, journal, random } = components
  const owner = nonce(random)
  const succession = head.content?.succession
  // Whoever was to replace it may still be at it: from here on they cannot, or they have.
  if (succession?.state === 'sealed' && (await decide(heads, succession.lead, 'void', head.content)) === 'committed')
    throw superseded(shard, succession.successors)
  const before: Omit<HeadContent, 'owner'> = head.content ?? {
    epoch: EPOCH_ZERO,
    commit: 0,
    journal: { name: journal.name, version: journal.version },
    engine: { name: engine.name, version: engine.version },
    identity: engine.identity,
    journalState: undefined,
    ...EMPTY_EDIT_LOG,
    pins: [],
  }
  const next = { owner, epoch: epoch(before.epoch + 1), commit: before.commit + 1, succession: undefined }
  const content: HeadContent = { ...before, ...next }
  try {
    const version = await heads.compareAndSet(shard, head.stored?.version, encodeHead(content))
    return new Committer(components.heads, shard, version, content)
  } catch (error) {
    if (!isCode(error, 'HEAD_CONFLICT', 'OUTCOME_UNKNOWN')) throw error
    // The answer may have been lost: our epoch and nonce in the head say that we are the owner.
    const found = await heads.read(shard)
    if (found !== undefined) {
      const foundContent = decodeHead(found.content, sourceOf(components))
      const isOurs = foundContent.epoch === content.epoch && foundContent.owner === owner
      if (isOurs) return new Committer(components.heads, shard, found.version, foundContent)
      // The owner that was to be replaced has committed meanwhile: it still is to be replaced.
      const isSameOwner = foundContent.epoch === before.epoch && foundContent.owner === head.content?.owner
      if (isSameOwner && isCode(error, 'HEAD_CONFLICT')) {
        return takeOver(components, heads, engine, { stored: found, content: foundContent }, signal)
      }
    }
    throw new VarveError('FENCED', `another process took shard ${shard} over while it was being opened`, {
      cause: error,
      details: { epoch: content.epoch },
    })
  }
}

/** Again for as long as the owner goes on meanwhile: it removes what its newest head does not need. */
async function openNewestReadOnly<Operation, Table extends Memtable<Operation>, Shape>(
  components: ShardComponents,
  opening: ShardComponents,
  engine: Engine<Operation, Table, Shape>,
  settings: ShardSettings,
  options: ShardOpenOptions,
): Promise<Shard<Operation, Table, Shape>> {
  for (let head = await readPresentHead(opening, engine, options); ;) {
    throwIfAborted(options.signal)
    try {
      return await openReadOnly(components, opening.files, engine, settings, head, options.signal)
    } catch (error) {
      if (!isDamage(error)) throw error
      const now = await readPresentHead(opening, engine, options)
      if (now.stored.version === head.stored.version) throw error
      head = now
    }
  }
}

async function openReadOnly<Operation, Table extends Memtable<Operation>, Shape>(
  components: ShardComponents,
  files: FileStore,
  engine: Engine<Operation, Table, Shape>,
  settings: ShardSettings,
  { content }: PresentHead,
  signal: AbortSignal | undefined,
): Promise<Shard<Operation, Table, Shape>> {
  const manifest = await loadManifest(content, files, components.hash, sourceOf(components))
  const { journal: journals, shard } = components
  const journal = await journals.openReadOnly(shard, content.journalState, manifest.replayFrom, { signal })
  try {
    const tables = new TableStack<Table>(engine.memtable(), manifest.replayFrom)
    const { seqnoLast } = await replayInto(
      { journal, engine, clock: components.clock },
      tables,
      manifest.replayFrom,
      manifest.seqnoLast,
      Infinity,
    )
    const shown = { epoch: content.epoch, manifest, tables, seqnoLast }
    return new ReadOnlyShard(components, engine, settings, shown, () => journal.close())
  } catch (error) {
    await journal.close()
    throw error
  }
}

function isDamage(error: unknown): boolean {
  return error instanceof VarveError && error.kind === 'corrupt'
}
