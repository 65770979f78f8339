/** The drawing of an open shard's levels. */

import type { KvShard } from '../engines/kv/kv-shard.ts'
import { drawLevels } from './level-drawing.ts'
import { formatBytes } from './quantities.ts'

export function drawShard(shard: KvShard, columns: number): readonly string[] {
  const { memtableBytes, frozenTables } = shard.statistics()
  const frozen = frozenTables === 0 ? '' : `, ${frozenTables} of them waiting to be flushed`
  const levels = shard
    .levels()
    .map((tables) =>
      tables.map(({ file, meta }) => ({ bytes: file.ref.bytes, keyFirst: meta.keyFirst, keyLast: meta.keyLast })),
    )
  return [`memtables hold ${formatBytes(memtableBytes)}${frozen}`, ...drawLevels(levels, columns)]
}
