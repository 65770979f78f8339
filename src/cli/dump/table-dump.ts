/** Table files in readable form: which there are, and what is in one of them. */

import type { FileReader } from '../../fs/fs.ts'
import { ENTRY_DELETE, ENTRY_PUT } from '../../kernel/entry.ts'
import type { EntryBatch } from '../../kernel/entry-batch.ts'
import type { FileRef } from '../../kernel/file-ref.ts'
import { isKeyColumn } from '../../engines/kv/key-columns.ts'
import { rowTableFormat } from '../../sst/row-format.ts'
import type { RowIndex } from '../../sst/row-index.ts'
import { inspectRowBlock, inspectRowTable } from '../../sst/row-inspection.ts'
import type { RowInspection } from '../../sst/row-inspection.ts'
import { showKey, shorten } from '../key-text.ts'
import { formatCount, formatNumberOf } from '../quantities.ts'
import type { VersionFile } from '../../shard/shard.ts'
import { UsageError } from '../usage-error.ts'
import type { DumpOutput } from './dump-output.ts'
import { describeMeta } from './head-dump.ts'
import type { InspectedDirectory } from '../../local-inspection.ts'
import { dumpKeyColumn } from './key-column-dump.ts'
import { showCut } from './journal-dump.ts'

const KEY_COLUMNS = 60
const VALUE_COLUMNS = 40

interface Tables {
  readonly ofManifest: readonly VersionFile[]
  /** On the device, by name, in bytes. */
  readonly stored: ReadonlyMap<string, number>
  readonly describe: (file: VersionFile) => string
  /** Names of files that hold the manifest itself. */
  readonly manifests: ReadonlySet<string>
}

export async function dumpTables(directory: InspectedDirectory, output: DumpOutput): Promise<void> {
  const { ofManifest, stored, describe, manifests } = await findTables(directory, output)
  const byLevel = [...ofManifest].sort((a, b) => a.group - b.group)
  for (const file of byLevel) {
    const { ref, group, format, seqnoFirst, seqnoLast } = file
    const size = `${formatCount(ref.bytes)} bytes`
    const seqnos = `seqnos ${seqnoFirst} to ${seqnoLast}`
    await output.line(
      `level ${group}  ${ref.name}  ${format.name} ${format.version}  ${size}  ${seqnos}  ${describe(file)}`,
    )
    const bytes = stored.get(ref.name)
    if (bytes === undefined) await output.damage('the file is missing', 1)
    else if (bytes !== ref.bytes) await output.damage(`the file has ${formatCount(bytes)} bytes`, 1)
  }
  if (byLevel.length === 0) await output.line('the manifest names no tables')
  const known = new Set<string>(byLevel.map(({ ref }) => ref.name))
  for (const [name, bytes] of [...stored].sort(([a], [b]) => (a < b ? -1 : 1))) {
    if (known.has(name)) continue
    const what = manifests.has(name) ? 'part of the manifest' : 'not in the manifest'
    await output.line(`${what}: ${name}  ${formatCount(bytes)} bytes`)
  }
}

/**
 * @param name a table's, or a part of it that no other has
 * @param withEntries every entry, block by block
 * @throws {UsageError} there is none of that name, or more than one
 */
export async function dumpTable(
  directory: InspectedDirectory,
  name: string,
  withEntries: boolean,
  output: DumpOutput,
): Promise<void> {
  const { ofManifest, stored, describe } = await findTables(directory, output)
  const names = [...new Set([...stored.keys(), ...ofManifest.map(({ ref }) => ref.name as string)])]
  const matching = names.includes(name) ? [name] : names.filter((known) => known.includes(name))
  const [found, another] = matching
  if (found === undefined) throw new UsageError(`there is no table '${name}': \`varve dump DIR tables\` lists them`)
  if (another !== undefined) throw new UsageError(`'${name}' is part of several names, such as ${found} and ${another}`)
  const file = ofManifest.find(({ ref }) => ref.name === found)
  await output.line(`table ${found}`)
  if (file === undefined) await output.line('not in the manifest', 1)
  else await output.line(`level ${file.group}, ${formatCount(file.ref.bytes)} bytes, ${describe(file)}`, 1)
  const column = file !== undefined && isKeyColumn(file.format)
  if (file !== undefined && file.format.name !== rowTableFormat.name && !column) {
    await output.line(`its format is ${file.format.name}, version ${file.format.version}, which has no dump`, 1)
    return
  }
  await output.attempt(1, async () => {
    // As long as it is, not as long as it should be: what is left of it can be looked at.
    const bytes = stored.get(found)
    if (bytes !== undefined && file !== undefined && bytes !== file.ref.bytes) {
      await output.damage(`the file has ${formatCount(bytes)} bytes`, 1)
    }
    const ref = { ...(file?.ref ?? { name: found, checksum: '' }), bytes: bytes ?? file?.ref.bytes ?? 0 } as FileRef
    const reader = await directory.openFile(ref)
    try {
      if (column) await dumpKeyColumn(reader, directory.hash, withEntries, output)
      else await dumpRowTable(reader, directory, withEntries, output)
    } finally {
      await reader.close()
    }
  })
}

async function findTables(directory: InspectedDirectory, output: DumpOutput): Promise<Tables> {
  const damage = (error: Error): void => void output.damage(error.message)
  const stored = new Map<string, number>()
  await output.attempt(0, async () => {
    for (const { name, bytes } of await directory.files.list()) stored.set(name, bytes)
  })
  const head = await directory.newestHead(damage)
  if (head === undefined) return { ofManifest: [], stored, describe: () => '', manifests: new Set() }
  const { files } = await directory.manifest(head, damage)
  const manifests = new Set([...(head.base === undefined ? [] : [head.base]), ...head.deltas].map(({ name }) => name))
  return { ofManifest: [...files.values()], stored, describe: (file) => describeMeta(file, head), manifests }
}

async function dumpRowTable(
  file: FileReader,
  { hash }: InspectedDirectory,
  withEntries: boolean,
  output: DumpOutput,
): Promise<void> {
  const table = await inspectRowTable(file, hash)
  await dumpFooter(table, output)
  await dumpProperties(table, output)
  await dumpRanges(table, output)
  if (table.filter !== undefined) {
    if ('damage' in table.filter) await output.damage(table.filter.damage, 1)
    else
      await output.line(
        `filter: ${formatCount(table.filter.found.bytes)} bytes, ${table.filter.found.probes} probes a key`,
        1,
      )
  }
  if ('damage' in table.index) {
    await output.damage(table.index.damage, 1)
    return
  }
  await dumpIndex(table.index.found, output)
  for (let block = 0; block < table.index.found.blockCount; block++) {
    await dumpBlock(file, table.index.found, block, withEntries, hash, output)
  }
}

async function dumpFooter({ footer }: RowInspection, output: DumpOutput): Promise<void> {
  await output.line('parts', 1)
  const parts = Object.entries(footer) as [string, { offset: number; length: number; checksum: bigint }][]
  await output.pairs(
    parts.map(([name, { offset, length, checksum }]) => {
      return [name, `at ${offset}, ${formatCount(length)} bytes, checksum ${checksum.toString(16).padStart(16, '0')}`]
    }),
    2,
  )
}

async function dumpProperties({ properties }: RowInspection, output: DumpOutput): Promise<void> {
  if ('damage' in properties) {
    await output.damage(properties.damage, 1)
    return
  }
  await output.line('properties', 1)
  await output.pairs(
    Object.entries(properties.found).map(([name, value]) => [
      name,
      value instanceof Uint8Array ? shorten(showKey(value), KEY_COLUMNS) : String(value),
    ]),
    2,
  )
}

async function dumpRanges({ ranges }: RowInspection, output: DumpOutput): Promise<void> {
  if ('damage' in ranges) {
    await output.damage(ranges.damage, 1)
    return
  }
  for (const { lower, upper, seqnos } of ranges.found.fragments) {
    await output.line(`deleted from ${showCut(lower)} to ${showCut(upper)} at seqnos ${seqnos.join(', ')}`, 1)
  }
}

async function dumpIndex(index: RowIndex, output: DumpOutput): Promise<void> {
  const decoded = index.decodedLengths.reduce((sum, length) => sum + length, 0)
  const stored = index.offsets[index.blockCount] as number
  const blocks = formatNumberOf(index.blockCount, 'block')
  const sizes = `${formatCount(stored)} bytes stored, ${formatCount(decoded)} decoded`
  await output.line(`index: ${blocks}, ${sizes}, codec ${index.codec}, written as ${index.birth.toString(16)}`, 1)
}

async function dumpBlock(
  file: FileReader,
  index: RowIndex,
  number: number,
  withEntries: boolean,
  hash: InspectedDirectory['hash'],
  output: DumpOutput,
): Promise<void> {
  const stored = formatCount(index.storedLength(number))
  const decoded = formatCount(index.decodedLengths[number] as number)
  const last = shorten(showKey(index.separatorAt(number)), KEY_COLUMNS)
  const full = output.line(
    `block ${number} at ${index.offsets[number]}: ${stored} of ${decoded} bytes, up to ${last}`,
    1,
  )
  if (full !== undefined) await full
  if (!withEntries) return
  await output.attempt(2, async () => {
    for await (const batch of inspectRowBlock(file, index, number, hash)) {
      for (let at = 0; at < batch.count; at++) await output.line(describeEntry(batch, at), 2)
    }
  })
}

function describeEntry(batch: EntryBatch, at: number): string {
  const key = shorten(showKey(batch.keyAt(at)), KEY_COLUMNS)
  const seqno = batch.seqnos[at]
  const kind = batch.kinds[at]
  if (kind === ENTRY_DELETE) return `${key}  ${seqno}  delete`
  if (kind !== ENTRY_PUT) return `${key}  ${seqno}  kind ${kind}`
  const start = batch.valueStarts[at] as number
  const length = batch.valueLengths[at] as number
  const block = batch.blocks[batch.valueBlocks[at] as number] as Uint8Array
  const value = shorten(showKey(block.subarray(start, start + Math.min(length, VALUE_COLUMNS * 4))), VALUE_COLUMNS)
  return `${key}  ${seqno}  put  ${formatCount(length)} bytes  ${length === 0 ? '' : value}`.trimEnd()
}
