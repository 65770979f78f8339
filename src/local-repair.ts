/**
 * Repair: a new database out of what a damaged one still holds. The damaged one is only read.
 *
 * Everything is visited twice: first to learn the newest seqno of every key, then to write what it belongs to. That takes
 * memory for each key, and none for values. Where no head can be read, nobody knows which tables and records count any
 * more: all do that no other shard has written, and what had been deleted and compacted away may be back.
 */

import { join, resolve } from 'node:path'
import { checkOrder } from './engines/kv/named-order.ts'
import type { NamedOrder } from './engines/kv/named-order.ts'
import type { KvOperation } from './engines/kv/kv.ts'
import type { KvShard } from './engines/kv/kv-shard.ts'
import { LOCAL_JOURNAL, decodeJournalState } from './journal/journal-state.ts'
import type { JournalState } from './journal/journal-state.ts'
import { shardIdentity } from './journal/segment-id.ts'
import { readClosing } from './journal/fence.ts'
import { requireFence } from './journal/required-fence.ts'
import { readWitness } from './journal/sync-witness.ts'
import type { HeadContent } from './shard/head-content.ts'
import { refuseNoDirectory } from './fs/node-other-thing.ts'
import { isDamage } from './kernel/damage.ts'
import { VarveError, isCode, throwIfAborted } from './kernel/errors.ts'
import { shardId } from './kernel/ids.ts'
import type { KeyOrder } from './kernel/key-order.ts'
import { MIB } from './kernel/limits.ts'
import { checkOptionNames } from './kernel/option-names.ts'
import { InspectedDirectory, refuseLive } from './local-inspection.ts'
import { HEADS, JOURNAL, MAIN_SHARD, SHARD_FOLDERS } from './local-layout.ts'
import { NewestEntries } from './local-newest-entries.ts'
import { Salvage } from './local-salvage.ts'
import type { KnownJournal } from './local-salvage.ts'
import type { Loss } from './local-salvage-visitor.ts'
import { checkWrapping, keepKeys } from './local-wrappers.ts'
import type { LocalEncryption } from './local-wrappers.ts'
import { makeWhole, requireEmpty } from './local-unfinished.ts'
import { open } from './local.ts'

export type { Loss } from './local-salvage-visitor.ts'

const BATCH_BYTES = 1 * MIB

/** What the damaged database was made with. */
export interface RepairOptions {
  /** Name of the shard that is saved; the new database's is `main`, whatever this is. Default: `main`. */
  readonly shard?: string
  /** The order the database was made with. Default: bytewise. */
  readonly order?: NamedOrder
  /** With what the database is encrypted: the new one is, too, under the first key. Default: neither is. */
  readonly encryption?: LocalEncryption
  /** Gives up with ABORTED, and removes what was written to `target`. Default: nobody does. */
  readonly signal?: AbortSignal
}

/** What became of the entries. */
export interface RepairReport {
  /** Entries in the new database. */
  readonly entries: number
  /** What could not be read. Empty: everything is there. */
  readonly losses: readonly Loss[]
  /** False where no head could be read: keys that had been deleted may be back. */
  readonly headFound: boolean
}

const OPTIONS: Readonly<Record<keyof RepairOptions, true>> = {
  shard: true,
  order: true,
  encryption: true,
  signal: true,
}

/**
 * Writes what `source` still holds to `target`, which must be empty or missing, and is a database only once all of it is there.
 *
 * @throws {TypeError} {RangeError} an argument or option is wrong or unknown; the message names it
 * @throws {VarveError} NOT_FOUND — there is no database in `source`, or no shard of that name; `details.shards` has those
 *   there are; LIMIT_EXCEEDED — no name of a shard; LOCKED — a live process has it open
 * @throws {VarveError} EXISTS — there is something in `target`; INCOMPATIBLE — another engine or order, a newer format,
 *   encrypted and no keys given, or the other way round; WRONG_KEY — a head, manifest or table is under another key, and
 *   nothing was written; UNSUPPORTED — blocks are compressed, and LZ4 does not load here; PERMISSION_DENIED — a file may not
 *   be read; OUT_OF_FILES: likewise; NO_SPACE; ABORTED
 */
export async function repair(source: string, target: string, options: RepairOptions = {}): Promise<RepairReport> {
  for (const [name, path] of Object.entries({ source, target })) {
    const given: unknown = path
    if (typeof given !== 'string' || given === '') throw new TypeError(`${name} must be a path`)
  }
  checkOptionNames(options, OPTIONS)
  checkWrapping(options)
  throwIfAborted(options.signal)
  // As they are now: the process may go to another directory meanwhile, and whoever called may overwrite the keys.
  return repairPlace(resolve(source), resolve(target), keepKeys(options))
}

async function repairPlace(source: string, target: string, options: RepairOptions): Promise<RepairReport> {
  // The source itself, perhaps, under whatever name.
  await requireEmpty(target)
  const order = checkOrder(options.order)
  const shard = options.shard === undefined ? MAIN_SHARD : shardId(options.shard)
  const directory = await InspectedDirectory.open(source, options.encryption, shard)
  try {
    await refuseLive(directory, source)
    await directory.requireShard(source)
    const losses: Loss[] = []
    const note = (error: VarveError): void => {
      // Whole, but not for us: encrypted, or of a newer version. Around it there is nothing to be saved, only to be misread.
      if (error.code === 'INCOMPATIBLE' || !isDamage(error)) throw error
      const { file = error.details['path'] } = error.details
      losses.push({
        file: typeof file === 'string' ? file : HEADS,
        reason: error.message,
        keyFirst: undefined,
        keyLast: undefined,
      })
    }
    const head = await directory.newestHead(note)
    if (head !== undefined) requireOrder(head.engine.name, head.identity['order'], order)
    const newer = losses.length > 0
    losses.push(...(await otherThings(source)), ...(await othersOf(directory)))
    const manifest = head === undefined ? undefined : await directory.manifest(head, note)
    const newest = new NewestEntries(order)
    const journal = head === undefined ? UNKNOWN_JOURNAL : await knownJournal(directory, head, note)
    // A head that cannot be read may have known owners that this one does not.
    const salvage = new Salvage(directory, manifest, newer ? { ...journal, state: undefined } : journal, order)
    await salvage.visit({
      entry: ({ key, seqno }) => newest.add(key, seqno),
      tombstone: (tombstone) => newest.cover(tombstone),
      loss: (loss) => void losses.push(loss),
      pause: () => Promise.resolve(throwIfAborted(options.signal)),
    })
    const given = {
      ...(options.order === undefined ? {} : { order: options.order }),
      ...(options.encryption === undefined ? {} : { encryption: options.encryption }),
    }
    return await makeWhole(target, async (unfinished) => {
      const db = await open(unfinished, { ...given, errorIfExists: true, jobs: 'inline' })
      try {
        const entries = await write(db, salvage, newest, { losses, signal: options.signal })
        await db.flush()
        await db.close()
        return { entries, losses, headFound: head !== undefined }
      } catch (error) {
        // Nobody is going to open it: what closing it has to say is not what went wrong.
        await db.close().catch(() => undefined)
        throw error
      }
    })
  } finally {
    await directory.close()
  }
}

/** What is in the place of a directory: to whoever lists it, that is missing. */
async function otherThings(source: string): Promise<readonly Loss[]> {
  const losses: Loss[] = []
  for (const file of SHARD_FOLDERS) {
    try {
      await refuseNoDirectory(join(source, file), file)
    } catch (error) {
      if (!isCode(error, 'PERMISSION_DENIED')) throw error
      losses.push({ file, reason: error.message, keyFirst: undefined, keyLast: undefined })
    }
  }
  return losses
}

/** Shards that were cloned from this one, or took its place: what they hold is not in the new database. */
async function othersOf(directory: InspectedDirectory): Promise<readonly Loss[]> {
  const losses: Loss[] = []
  for (const shard of await directory.otherShards()) {
    const [newest] = await directory.heads(shard)
    const file = newest === undefined ? HEADS : `${HEADS}/${newest.name}`
    const reason = `shard ${shard} is not saved: only ${directory.shard} is`
    losses.push({ file, reason, keyFirst: undefined, keyLast: undefined })
  }
  return losses
}

async function write(
  db: KvShard,
  salvage: Salvage,
  newest: NewestEntries,
  { losses, signal }: { readonly losses: Loss[]; readonly signal: AbortSignal | undefined },
): Promise<number> {
  let entries = 0
  let batch: KvOperation[] = []
  let bytes = 0
  const flush = async (): Promise<void> => {
    const full = batch
    batch = []
    bytes = 0
    await db.batch(full)
  }
  await salvage.visit({
    entry(entry) {
      if (entry.value === undefined || !newest.take(entry)) return
      batch.push({ type: 'put', key: entry.key, value: entry.value })
      bytes += entry.key.length + entry.value.length
      entries++
    },
    tombstone: () => undefined,
    // A disk may fail the second time that it is asked.
    loss(loss) {
      if (!losses.some(({ file, reason }) => file === loss.file && reason === loss.reason)) losses.push(loss)
    },
    async pause() {
      throwIfAborted(signal)
      if (bytes >= BATCH_BYTES) await flush()
    },
  })
  await flush()
  return entries
}

const UNKNOWN_JOURNAL: KnownJournal = Object.freeze({ state: undefined, end: 0 })

/** It must reach as far as its state in the head, the witness of the last sync and its closing say. */
async function knownJournal(
  { device, journalPath, shard }: InspectedDirectory,
  { journal, journalState }: HeadContent,
  note: (error: VarveError) => void,
): Promise<KnownJournal> {
  if (journal.name !== LOCAL_JOURNAL) {
    const reason = `the journal is elsewhere (${journal.name}): what was not in tables yet is not saved`
    note(new VarveError('JOURNAL_CORRUPT', reason, { details: { file: JOURNAL } }))
    return UNKNOWN_JOURNAL
  }
  if (journalState === undefined) return UNKNOWN_JOURNAL
  let state: JournalState | undefined
  try {
    const identity = shardIdentity(shard)
    state = decodeJournalState(journalState, identity)
    await requireFence(device, journalPath, state)
    const closing = await readClosing(device, journalPath, state, identity)
    const end = Math.max(state.start, await readWitness(device, journalPath, state, identity), closing?.end ?? 0)
    return { state, end }
  } catch (error) {
    if (!(error instanceof VarveError)) throw error
    note(error)
    return { state, end: 0 }
  }
}

function requireOrder(engine: string, found: string | undefined, order: KeyOrder): void {
  if (engine === 'kv' && found === order.name) return
  throw new VarveError('INCOMPATIBLE', `the shard was written with engine ${engine} and key order ${String(found)}`, {
    details: { what: 'order', found, expected: order.name },
  })
}
