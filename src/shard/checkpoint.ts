/**
 * Checkpoints, and what every shard begins with that starts with what another one holds.
 *
 * A checkpoint copies the files to other stores, or gives them a second name there: files never change, so what one of the
 * two removes, the other keeps. A clone (clone.ts) is a second shard in the same stores that refers to the same files.
 *
 * All start from a flushed version, so that no journal has to be copied: the new shard's journal is empty.
 */

import { abortable } from '../kernel/abortable.ts'
import { equalBytes } from '../kernel/bytes.ts'
import { VarveError, isCode, throwIfAborted } from '../kernel/errors.ts'
import type { FileRef } from '../kernel/file-ref.ts'
import { POSITION_ZERO } from '../kernel/ids.ts'
import type { Epoch, ShardId } from '../kernel/ids.ts'
import { MIB } from '../kernel/limits.ts'
import { checkOptionNames } from '../kernel/option-names.ts'
import type { AbortOptions, FileStore, HeadStore } from '../fs/fs.ts'
import { unaborted } from './closed.ts'
import type { ManifestState } from './edit.ts'
import { snapshotEdit } from './edit.ts'
import { encodeHead } from './head-content.ts'
import type { HeadContent, Succession } from './head-content.ts'
import { EMPTY_EDIT_LOG, extendLog } from './manifest.ts'
import { manifestName } from './file-names.ts'
import type { CheckpointTarget, ShardPlace } from './shard.ts'

const COPY_BYTES = 1 * MIB
const ABORT_OPTIONS: Readonly<Record<keyof AbortOptions, true>> = { signal: true }

/** What the new shard starts with. Whoever calls keeps the files from being removed meanwhile. */
export interface Origin {
  readonly shard: ShardId
  readonly place: ShardPlace
  readonly head: HeadContent
  /** Everything in it is in files. */
  readonly manifest: ManifestState
}

/**
 * Brings every file to `target`, by another name for it where the target can do that, and makes a head of the same name there.
 *
 * @throws {TypeError} a target that is none
 * @throws {VarveError} EXISTS — the target has such a shard, or files of its names
 * @throws {VarveError} TABLE_CORRUPT — a file is not what its reference says; ABORTED; nothing can be opened at the target
 */
export async function writeCheckpoint(origin: Origin, target: CheckpointTarget, options: AbortOptions): Promise<void> {
  const { files, heads }: { readonly files?: unknown; readonly heads?: unknown } = Object(target)
  if (files === undefined || heads === undefined)
    throw new TypeError('target must have files and heads; for a directory there is checkpoint(db, directory) of varve')
  const { shard, head, manifest, place } = origin
  await requireAbsent(target, shard, options)
  const refs = [...manifest.files.values()].map(({ ref }) => ref)
  const adopted = await target.adopt?.(refs, place.files)
  for (const ref of refs) if (adopted?.has(ref.name) !== true) await copyFile(ref, place.files, target.files, options)
  throwIfAborted(options.signal)
  // The epoch goes along: names made from now on, here and there, are not those of files that were copied.
  await writeHead(origin, target, shard, head.epoch)
}

/** Runs `work` on a state that holds everything written before, whose files stay meanwhile. */
export async function withFlushed<View>(
  shard: { flush(): Promise<void> },
  views: { pin(): View; unpin(view: View): void },
  origin: () => Origin,
  work: (origin: Origin) => Promise<void>,
  options: AbortOptions = {},
): Promise<void> {
  checkOptionNames(options, ABORT_OPTIONS)
  throwIfAborted(options.signal)
  // Others may wait for the flush too: it goes on.
  await abortable(shard.flush(), options.signal)
  const view = views.pin()
  try {
    await work(origin())
  } catch (error) {
    throw unaborted(error)
  } finally {
    views.unpin(view)
  }
}

export async function requireAbsent({ heads }: ShardPlace, shard: ShardId, options?: AbortOptions): Promise<void> {
  if ((await heads.read(shard, options)) !== undefined) throw alreadyThere(shard)
}

function alreadyThere(shard: ShardId, cause?: unknown): VarveError {
  return new VarveError('EXISTS', `there is a shard ${shard} already`, { cause, details: { name: shard } })
}

/** @param succession of a shard that is still to be decided on */
export async function writeHead(
  origin: Pick<Origin, 'head' | 'manifest'>,
  place: ShardPlace,
  shard: ShardId,
  epoch: Epoch,
  succession?: Succession,
): Promise<void> {
  // The new shard's journal is empty and starts at zero.
  const state: ManifestState = { ...origin.manifest, replayFrom: POSITION_ZERO }
  const log = await extendLog(EMPTY_EDIT_LOG, snapshotEdit(state), state, place.files, () =>
    manifestName(shard, { epoch, owner: origin.head.owner }, 0),
  )
  const content: HeadContent = {
    ...origin.head,
    ...log,
    epoch,
    owner: '',
    commit: 0,
    journalState: undefined,
    pins: [],
    succession,
  }
  await createHead(place.heads, shard, encodeHead(content))
}

/** @throws {VarveError} OUTCOME_UNKNOWN — it is not there, and may appear; EXISTS — another is there */
export async function createHead(heads: HeadStore, shard: ShardId, content: Uint8Array): Promise<void> {
  try {
    await heads.compareAndSet(shard, undefined, content)
  } catch (error) {
    if (!isCode(error, 'HEAD_CONFLICT', 'OUTCOME_UNKNOWN')) throw error
    // Only the answer may have been lost. A head has no owner yet by which to know it, but nothing else in it differs.
    const found = await heads.read(shard)
    if (found === undefined) throw error
    if (!equalBytes(found.content, content)) throw alreadyThere(shard, error)
  }
}

async function copyFile(ref: FileRef, source: FileStore, target: FileStore, options: AbortOptions): Promise<void> {
  const reader = await source.open(ref, { ...options, intent: 'stream' })
  try {
    const writer = await target.create(ref.name, { ...options, expectedBytes: ref.bytes })
    try {
      for (let offset = 0; offset < ref.bytes; offset += COPY_BYTES) {
        throwIfAborted(options.signal)
        await writer.write(await reader.read(offset, Math.min(COPY_BYTES, ref.bytes - offset), options))
      }
      const copy = await writer.finish()
      if (copy.checksum !== ref.checksum) {
        throw new VarveError('TABLE_CORRUPT', `file ${ref.name} is not what it was when it was written`, {
          details: { file: ref.name, offset: 0, part: 'file', found: copy.checksum, expected: ref.checksum },
        })
      }
    } catch (error) {
      await writer.abort()
      throw error
    }
  } finally {
    await reader.close()
  }
}
