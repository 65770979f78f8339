import { test } from 'node:test'
import { KIB } from '../kernel/limits.ts'
import { testMemtable } from '../testing/memtable-conformance.ts'
import { ArenaPool } from './arena.ts'
import { BPlusTree, openTreeImage } from './b-plus-tree.ts'
import type { TreeImage } from './b-plus-tree.ts'

for (const chunkBytes of [4 * KIB, 256 * KIB]) {
  const pool = new ArenaPool({ chunkBytes })
  testMemtable({
    test,
    name: `B+tree, chunks of ${chunkBytes / KIB} KiB`,
    open: (order) => new BPlusTree({ pool, order }),
    openImage: (image, order) => openTreeImage(image as TreeImage, order),
  })
}
