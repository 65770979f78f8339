/** The journal in readable form: segments, what was written to them at a time, and the operations in it. */

import { posix } from 'node:path'
import { decodeOperation } from '../../engines/kv/operation-codec.ts'
import {
  KEPT_INDEX,
  parseSegmentName,
  compareSegments,
  sameOwner,
  segmentIdentity,
  segmentName,
  shardIdentity,
} from '../../journal/segment-id.ts'
import type { SegmentId } from '../../journal/segment-id.ts'
import { requireFence } from '../../journal/required-fence.ts'
import { LOCAL_JOURNAL, decodeJournalState } from '../../journal/journal-state.ts'
import { LocalJournalSystem } from '../../journal/local-journal-system.ts'
import { isUsedAgain, readSegmentId } from '../../journal/segment-header.ts'
import { inspectSegment } from '../../journal/segment-inspection.ts'
import type { InspectedBatch, InspectedFrame } from '../../journal/segment-inspection.ts'
import type { Decoder } from '../../kernel/codec.ts'
import { ENTRY_PUT } from '../../kernel/entry.ts'
import { VarveError } from '../../kernel/errors.ts'
import type { JournalPosition } from '../../kernel/ids.ts'
import type { KeyCut } from '../../kernel/key-cut.ts'
import { RANGE_DELETE } from '../../memtable/entry-operation.ts'
import type { OrderedOperation } from '../../memtable/entry-operation.ts'
import { visitGroup } from '../../shard/group-codec.ts'
import type { HeadContent } from '../../shard/head-content.ts'
import { SystemRandom } from '../../system-random.ts'
import { showKey, shorten } from '../key-text.ts'
import { formatNumberOf } from '../quantities.ts'
import type { DumpOutput } from './dump-output.ts'
import { namesIn } from '../../local-inspection.ts'
import type { InspectedDirectory } from '../../local-inspection.ts'

const KEY_COLUMNS = 60

export async function dumpJournal(directory: InspectedDirectory, output: DumpOutput): Promise<void> {
  const ids: SegmentId[] = []
  for (const name of await namesIn(directory.device, directory.journalPath)) {
    const id = parseSegmentName(name)
    if (id !== undefined) ids.push(id)
  }
  const head = await directory.newestHead((error) => void output.damage(error))
  if (head !== undefined) {
    const { replayFrom, seqnoLast } = await directory.manifest(head, (error) => void output.damage(error))
    await output.line(`tables have what was written before position ${replayFrom}, up to seqno ${seqnoLast}`)
    await output.attempt(0, () => requireJournal(directory, head, replayFrom, ids.length > 0))
  }
  // Operations are the engine's; those of another are only counted.
  const isReadable = head === undefined || head.engine.name === 'kv'
  ids.sort(compareSegments)
  for (const id of ids) {
    const oldest = ids.find((one) => sameOwner(one, id) && one.index !== KEPT_INDEX) ?? id
    await dumpSegment(id, directory, output, isReadable, oldest)
  }
  if (ids.length > 0) return
  await output.line('there are no segments')
  if (head === undefined) await output.damage('there is no head either: nothing says what was in them')
}

/**
 * Looks for what the head says of the journal.
 *
 * @param hasSegments false where none are there: then none may be needed
 * @throws {VarveError} JOURNAL_CORRUPT — the journal has gone, or its last owner's part of it
 */
async function requireJournal(
  { device, hash, shard, journalPath }: InspectedDirectory,
  { journal, journalState }: HeadContent,
  needed: JournalPosition,
  hasSegments: boolean,
): Promise<void> {
  if (journal.name !== LOCAL_JOURNAL || journalState === undefined) return
  if (hasSegments) return requireFence(device, journalPath, decodeJournalState(journalState, shardIdentity(shard)))
  const parts = { device, directory: posix.dirname(journalPath), hash, random: new SystemRandom() }
  const reader = await new LocalJournalSystem(parts).openReadOnly(shard, journalState, needed)
  try {
    await reader.replay(needed, () => undefined)
  } finally {
    await reader.close()
  }
}

async function dumpSegment(
  id: SegmentId,
  { device, hash, journalPath, shard }: InspectedDirectory,
  output: DumpOutput,
  isReadable: boolean,
  oldest: SegmentId,
): Promise<void> {
  const path = `${journalPath}/${segmentName(id)}`
  await output.line(`segment ${segmentName(id)}: epoch ${id.epoch}, attempt ${id.attempt}, number ${id.index}`)
  await output.attempt(1, async () => {
    const file = await device.open(path, 'read')
    try {
      const former = await readSegmentId(file, shard)
      const isSpare = former === undefined ? (await file.size()) === 0 : isUsedAgain(former, oldest)
      if (isSpare) {
        await output.line('it was to be the next segment', 1)
        return
      }
      let expected: number | undefined
      for await (const item of inspectSegment(file, segmentIdentity(shard, id), hash)) {
        if (item.type === 'header') {
          expected = item.header?.base
          if (item.header === undefined) await output.damage('the header is damaged, or was never written', 1)
          else await output.line(`begins at position ${expected}, synced up to ${item.header.syncedUpTo}`, 1)
        } else if (item.type === 'other') {
          const bytes = formatNumberOf(item.endOffset - item.offset, 'byte')
          const what = item.zeros ? 'zeros, written ahead' : 'no frame: the write that was interrupted, or damage'
          await output.line(`at ${item.offset}: ${bytes} of ${what}`, 1)
        } else {
          const { position, payloadBytes } = item.frame
          if (expected !== undefined && position > expected) {
            await output.damage(`positions ${expected} to ${position} are missing`, 1)
          }
          await dumpFrame(item.frame, output, isReadable)
          expected = position + payloadBytes
        }
      }
    } finally {
      await file.close()
    }
  })
}

async function dumpFrame(frame: InspectedFrame, output: DumpOutput, isReadable: boolean): Promise<void> {
  const { offset, kind, position, payloadBytes, syncedUpTo, batches } = frame
  const bytes = formatNumberOf(payloadBytes, 'byte')
  const content = kind === 'mark' ? 'a mark' : `positions ${position} to ${position + payloadBytes}, ${bytes}`
  await output.line(`at ${offset}: ${content}, synced up to ${syncedUpTo}`, 1)
  if (batches === undefined) await output.damage('its body is damaged', 2)
  else for (const batch of batches) await dumpBatch(batch, output, isReadable)
}

async function dumpBatch(
  { position, payload }: InspectedBatch,
  output: DumpOutput,
  isReadable: boolean,
): Promise<void> {
  if (!isReadable) {
    await output.line(`group at ${position}: ${formatNumberOf(payload.length, 'byte')}`, 2)
    return
  }
  const lines: string[] = []
  let failure: VarveError | undefined
  try {
    const decode: (from: Decoder) => OrderedOperation = decodeOperation
    visitGroup(payload, position as JournalPosition, decode, (operation, seqno, at) => {
      lines.push(`${seqno}  at ${at}  ${describeOperation(operation)}`)
    })
  } catch (error) {
    if (!(error instanceof VarveError)) throw error
    failure = error
  }
  for (const line of lines) {
    const full = output.line(line, 2)
    if (full !== undefined) await full
  }
  if (failure !== undefined) await output.damage(failure, 2)
}

function describeOperation(operation: OrderedOperation): string {
  if (operation.kind === RANGE_DELETE) return `delete from ${showCut(operation.lower)} to ${showCut(operation.upper)}`
  const key = shorten(showKey(operation.key), KEY_COLUMNS)
  if (operation.kind !== ENTRY_PUT) return `delete  ${key}`
  return `put  ${key}  ${formatNumberOf(operation.value.length, 'byte')}`
}

/** A place between keys. */
export function showCut({ key, side }: KeyCut): string {
  if (side === -2) return 'the first key'
  if (side === 2) return 'the last key'
  return `just ${side < 0 ? 'before' : 'after'} ${shorten(showKey(key), KEY_COLUMNS)}`
}
