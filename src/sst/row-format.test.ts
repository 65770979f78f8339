import { test } from 'node:test'
import { loadHash } from '../kernel/hash.ts'
import { EncryptedFileStore } from '../fs/encrypted-file-store.ts'
import type { FileStore } from '../fs/fs.ts'
import { KeyRing } from '../fs/key-ring.ts'
import { MemoryFileStore } from '../fs/memory-file-store.ts'
import { TracedFileStore } from '../fs/traced-stores.ts'
import { PoorFileStore } from '../testing/poor-stores.ts'
import { SeededRandom } from '../testing/seeded-random.ts'
import { SimulatedClock } from '../testing/simulated-clock.ts'
import { testTableFormat } from '../testing/table-format-conformance.ts'
import { rowTableFormat } from './row-format.ts'

const hash = await loadHash()
const random = new SeededRandom(1)
const late = { random, clock: new SimulatedClock() }
const keys = new KeyRing([{ id: 'test', secret: new Uint8Array(32).fill(7) }])
const encrypted = (inner: FileStore): FileStore => new EncryptedFileStore(inner, { keys, random, hash })
const traced = (inner: FileStore): FileStore => new TracedFileStore(inner, { clock: late.clock, sink: () => undefined })

const compositions = [
  { name: 'defaults', settings: {}, syncRead: true, cacheBytes: 1 << 20 },
  { name: 'tiny blocks, nothing cached', settings: { blockBytes: 64 }, syncRead: true, cacheBytes: 0 },
  {
    name: 'far away, no filter',
    settings: { blockBytes: 200, codec: 'none', filterBitsPerKey: 0 },
    syncRead: false,
    cacheBytes: 8192,
  },
  {
    name: 'answers late and out of order',
    settings: { blockBytes: 200 },
    syncRead: true,
    cacheBytes: 8192,
    wrap: (inner: FileStore) => new PoorFileStore(inner, late),
  },
  {
    name: 'encrypted and intercepted',
    settings: { blockBytes: 200 },
    syncRead: true,
    cacheBytes: 8192,
    wrap: (inner: FileStore) => encrypted(traced(inner)),
  },
]

for (const { name, settings, syncRead, cacheBytes, wrap = (inner: FileStore) => inner } of compositions) {
  testTableFormat({
    test: (title, options, body) => test(title, options, body),
    name: `row table (${name})`,
    format: rowTableFormat,
    settings,
    openFiles: async () => Promise.resolve(wrap(new MemoryFileStore({ hash, syncRead }))),
    hash,
    cacheBytes,
  })
}
