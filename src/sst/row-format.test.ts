import { test } from 'node:test'
import { loadHash } from '../kernel/hash.ts'
import { MemoryFileStore } from '../fs/memory-file-store.ts'
import { testTableFormat } from '../testing/table-format-conformance.ts'
import { rowTableFormat } from './row-format.ts'

const hash = await loadHash()

const compositions = [
  { name: 'defaults', settings: {}, syncRead: true, cacheBytes: 1 << 20 },
  { name: 'tiny blocks, nothing cached', settings: { blockBytes: 64 }, syncRead: true, cacheBytes: 0 },
  {
    name: 'far away, no filter',
    settings: { blockBytes: 200, codec: 'none', filterBitsPerKey: 0 },
    syncRead: false,
    cacheBytes: 8192,
  },
]

for (const { name, settings, syncRead, cacheBytes } of compositions) {
  testTableFormat({
    test: (title, options, body) => test(title, options, body),
    name: `row table (${name})`,
    format: rowTableFormat,
    settings,
    openFiles: async () => Promise.resolve(new MemoryFileStore({ hash, syncRead })),
    hash,
    cacheBytes,
  })
}
