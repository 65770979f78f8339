/** Statistics of a shard as tables: its levels, its cache. */

import type { KvStatistics } from '../engines/kv/kv.ts'
import { formatBytes, formatCount, formatPercent } from './quantities.ts'
import { renderPairs, renderTable } from './text-table.ts'

export function renderLevels({ levels }: KvStatistics): readonly string[] {
  const total = { files: 0, entries: 0, bytes: 0 }
  for (const { files, entries, bytes } of levels) {
    total.files += files
    total.entries += entries
    total.bytes += bytes
  }
  const row = (name: string, { files, entries, bytes }: typeof total): readonly string[] => [
    name,
    formatCount(files),
    formatCount(entries),
    formatBytes(bytes),
  ]
  return renderTable(
    [
      { title: 'level' },
      { title: 'tables', align: 'right' },
      { title: 'entries', align: 'right' },
      { title: 'bytes', align: 'right' },
    ],
    [
      ...levels.filter(({ level, files }) => level === 0 || files > 0).map((level) => row(`L${level.level}`, level)),
      row('all', total),
    ],
  )
}

export function renderCache({ cache }: KvStatistics): readonly string[] {
  const { hits, misses, evictions } = cache
  return renderPairs([
    ['hits', formatCount(hits), formatPercent(hits, hits + misses)],
    ['misses', formatCount(misses)],
    ['evictions', formatCount(evictions)],
  ])
}
