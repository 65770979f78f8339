/** The head in readable form: who owns the shard, and every edit from which its manifest adds up. */

import type { FileRef } from '../../kernel/file-ref.ts'
import type { ShardId } from '../../kernel/ids.ts'
import type { KeyCut } from '../../kernel/key-cut.ts'
import { decodeColumnMeta, isKeyColumn } from '../../engines/kv/key-columns.ts'
import { decodeView } from '../../engines/kv/key-view.ts'
import { decodeTableMeta } from '../../engines/kv/table-meta.ts'
import { LOCAL_JOURNAL, decodeJournalState } from '../../journal/journal-state.ts'
import { segmentName, shardIdentity } from '../../journal/segment-id.ts'
import { decodeEdit } from '../../shard/edit.ts'
import type { Edit } from '../../shard/edit.ts'
import { failHead } from '../../shard/head-content.ts'
import type { HeadContent } from '../../shard/head-content.ts'
import { manifestFiles, readManifestFile } from '../../shard/manifest.ts'
import type { VersionFile } from '../../shard/shard.ts'
import { showKey, shorten } from '../key-text.ts'
import { formatBytes, formatCount, formatNumberOf } from '../quantities.ts'
import type { DumpOutput } from './dump-output.ts'
import type { InspectedDirectory } from '../../local-inspection.ts'

const KEY_COLUMNS = 32

/** @param all of every shard there is, not only of the one that is named */
export async function dumpHead(directory: InspectedDirectory, all: boolean, output: DumpOutput): Promise<void> {
  const shards = (await directory.shards()).filter((shard) => all || shard === directory.shard)
  if (shards.length === 0) await output.damage('there is no head: the shard was never made, or its head is lost')
  // The shard itself first, if it is there; then those that share files with it, or took its place.
  const others = shards.filter((shard) => shard !== directory.shard)
  for (const shard of shards.length > others.length ? [directory.shard, ...others] : others)
    await dumpShard(shard, directory, output)
}

async function dumpShard(shard: ShardId, directory: InspectedDirectory, output: DumpOutput): Promise<void> {
  for (const file of await directory.heads(shard)) {
    await output.line(`head ${file.name}, ${formatCount(file.bytes)} bytes`)
    let head: HeadContent | undefined
    await output.attempt(1, async () => void (head = await directory.head(file, shard)))
    if (head === undefined) continue
    await output.pairs([...describe(head), ...(await describeSuccession(shard, head, directory))], 1)
    await dumpJournalState(shard, head, output)
    await dumpEdits(head, directory, output)
    // Older ones say what was before.
    return
  }
}

function describe(head: HeadContent): readonly (readonly [name: string, value: string])[] {
  const part = ({ name, version }: { name: string; version: number }): string => `${name}, version ${version}`
  const refs = (list: readonly FileRef[]): string => (list.length === 0 ? 'none' : list.map(describeRef).join('; '))
  return [
    ['epoch', String(head.epoch)],
    ['owner', head.owner],
    ['commit', String(head.commit)],
    ['journal', part(head.journal)],
    ['engine', part(head.engine)],
    ...Object.entries(head.identity),
    ['base', refs(head.base === undefined ? [] : [head.base])],
    ['deltas', refs(head.deltas)],
    ['edits', String(head.edits.length)],
    ...head.pins.map(({ name, files }): readonly [string, string] => [`pin ${name}`, files.join(' ')]),
  ]
}

/** Of a shard that takes the place of others, or is replaced: the lead of the change decides which of the two came true. */
async function describeSuccession(
  shard: ShardId,
  { succession }: HeadContent,
  directory: InspectedDirectory,
): Promise<readonly (readonly [name: string, value: string])[]> {
  if (succession === undefined) return []
  if (succession.state === 'void') return [['succession', 'void: a change was given up, this shard will never be']]
  const { lead } = succession
  const outcome = lead === shard ? 'forming' : await outcomeOf(lead, directory)
  const leads = lead === shard ? 'leads the change' : `led by ${lead}, which is ${outcome}`
  if (succession.state === 'forming') {
    const decided = outcome === 'there' ? 'the shard is there' : outcome === 'void' ? 'given up' : 'not yet a shard'
    return [['succession', `forming: comes of ${succession.parents.join(', ')}; ${leads}: ${decided}`]]
  }
  const decided = outcome === 'there' ? 'superseded' : outcome === 'void' ? 'goes on' : 'to be decided'
  return [['succession', `sealed: replaced by ${succession.successors.join(', ')}; ${leads}: ${decided}`]]
}

/** What has become of the change that `lead` leads. */
async function outcomeOf(lead: ShardId, directory: InspectedDirectory): Promise<string> {
  const [file] = await directory.heads(lead)
  if (file === undefined) return 'not in this directory'
  try {
    const { succession } = await directory.head(file, lead)
    // One that forms under another lead has been there: it is to be replaced in its turn.
    if (succession?.state === 'forming' && succession.lead === lead) return 'forming'
    return succession?.state === 'void' ? 'void' : 'there'
  } catch (error) {
    return (error as Error).message
  }
}

function describeRef({ name, bytes, checksum }: FileRef): string {
  return `${name} (${formatCount(bytes)} bytes, checksum ${checksum})`
}

async function dumpJournalState(shard: ShardId, head: HeadContent, output: DumpOutput): Promise<void> {
  const { journal, journalState } = head
  if (journalState === undefined || journal.name !== LOCAL_JOURNAL) return
  await output.attempt(1, async () => {
    const { epoch, attempt, start, segments } = decodeJournalState(journalState, shardIdentity(shard))
    await output.line(`journal state: epoch ${epoch}, attempt ${attempt}, its own log begins at position ${start}`, 1)
    for (const { id, base, end } of segments) await output.line(`${segmentName(id)}  positions ${base} to ${end}`, 2)
  })
}

async function dumpEdits(head: HeadContent, directory: InspectedDirectory, output: DumpOutput): Promise<void> {
  for (const ref of manifestFiles(head)) {
    await output.attempt(1, async () => {
      const edits = await readManifestFile(ref, directory.files, directory.hash)
      for (const [index, edit] of edits.entries()) {
        await dumpEdit(`edit ${index + 1} of ${edits.length} in ${ref.name}`, edit, head, output)
      }
    })
  }
  for (const [index, bytes] of head.edits.entries()) {
    const name = `edit ${index + 1} of ${head.edits.length} in the head`
    await output.attempt(1, () => {
      return dumpEdit(
        name,
        decodeEdit(bytes, (reason, at) => failHead(name, reason, at)),
        head,
        output,
      )
    })
  }
}

async function dumpEdit(name: string, edit: Edit, head: HeadContent, output: DumpOutput): Promise<void> {
  const { removed, added, replayFrom, seqnoLast } = edit
  await output.line(
    `${name}: the journal is needed from position ${replayFrom}, files have up to seqno ${seqnoLast}`,
    1,
  )
  for (const file of removed) await output.line(`- ${file}`, 2)
  for (const file of added) await output.line(`+ ${describeFile(file, head)}`, 2)
}

function describeFile(file: VersionFile, head: HeadContent): string {
  const { ref, format, group, seqnoFirst, seqnoLast } = file
  return [
    ref.name,
    `level ${group}`,
    `${format.name} ${format.version}`,
    formatBytes(ref.bytes),
    `seqnos ${seqnoFirst} to ${seqnoLast}`,
    `checksum ${ref.checksum}`,
    describeMeta(file, head),
    ...describeView(file, head),
  ].join('  ')
}

/** Between which keys a shard sees a table that it shares: a cut is before a key or after it. */
function describeView({ ref, view }: VersionFile, { engine }: HeadContent): readonly string[] {
  if (view.length === 0) return []
  if (engine.name !== 'kv') return [`seen in part: ${formatCount(view.length)} bytes say which`]
  try {
    const span = decodeView(view, ref.name)
    if (span === undefined) return []
    return [`seen from ${describeCut(span.lower)} to ${describeCut(span.upper)}`]
  } catch (error) {
    return [(error as Error).message]
  }
}

function describeCut({ key, side }: KeyCut): string {
  if (Math.abs(side) === 2) return side < 0 ? 'the beginning' : 'the end'
  return `${side < 0 ? 'before' : 'after'} ${shorten(showKey(key), KEY_COLUMNS)}`
}

/** What the key-value engine says of a table; how much there is, of others. */
export function describeMeta({ ref, meta, format }: VersionFile, { engine }: HeadContent): string {
  if (engine.name !== 'kv') return `${formatCount(meta.length)} bytes of description`
  try {
    if (isKeyColumn(format)) {
      const { table, entryCount } = decodeColumnMeta(meta, ref.name)
      return `${formatNumberOf(entryCount, 'entry')} of ${table}`
    }
    const { keyFirst, keyLast, entryCount, deleteCount } = decodeTableMeta(meta, ref.name)
    const keys = [keyFirst, keyLast].map((key) => shorten(showKey(key), KEY_COLUMNS)).join(' … ')
    return `${formatNumberOf(entryCount, 'entry')}, ${formatNumberOf(deleteCount, 'deletion')}  ${keys}`
  } catch (error) {
    return (error as Error).message
  }
}
