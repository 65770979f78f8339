/** A key column in readable form. */

import type { FileReader } from '../../fs/fs.ts'
import { ENTRY_DELETE } from '../../kernel/entry.ts'
import type { Hash } from '../../kernel/hash.ts'
import { KeyColumnReader } from '../../sst/key-column-reader.ts'
import type { KeyColumnBlock } from '../../sst/key-column.ts'
import { showKey, shorten } from '../key-text.ts'
import { formatCount, formatNumberOf } from '../quantities.ts'
import type { DumpOutput } from './dump-output.ts'

const KEY_COLUMNS = 60

export async function dumpKeyColumn(
  file: FileReader,
  hash: Hash,
  withEntries: boolean,
  output: DumpOutput,
): Promise<void> {
  const reader = new KeyColumnReader(file, hash)
  const { entryCount, keyBytes, valueBytes, places } = await reader.summary()
  await output.line('properties', 1)
  const counts = { entries: entryCount, 'key bytes': keyBytes, 'value bytes': valueBytes }
  await output.pairs(
    Object.entries(counts).map(([name, count]) => [name, formatCount(count)] as const),
    2,
  )
  for (const [number, place] of places.entries()) {
    const entries = formatNumberOf(place.entryCount, 'entry')
    await output.line(`block ${number} at ${place.offset}: ${formatCount(place.length)} bytes, ${entries}`, 1)
    await output.attempt(2, async () => {
      const block = await reader.block(place)
      for (let at = 0; withEntries && at < block.count; at++) await output.line(describeEntry(block, at), 2)
    })
  }
}

function describeEntry({ keys, keyStarts, valueLengths, seqnos, kinds }: KeyColumnBlock, at: number): string {
  const key = shorten(showKey(keys.subarray(keyStarts[at], keyStarts[at + 1])), KEY_COLUMNS)
  return kinds[at] === ENTRY_DELETE
    ? `${key}  ${seqnos[at]}  delete`
    : `${key}  ${seqnos[at]}  put  ${formatCount(valueLengths[at] as number)} bytes`
}
