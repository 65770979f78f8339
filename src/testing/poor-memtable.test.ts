import { test } from 'node:test'
import { KIB } from '../kernel/limits.ts'
import { ArenaPool } from '../memtable/arena.ts'
import { BPlusTree } from '../memtable/b-plus-tree.ts'
import { openMemtableImage } from '../memtable/memtable-image.ts'
import { testMemtable } from './memtable-conformance.ts'
import { PoorMemtable } from './poor-memtable.ts'

const pool = new ArenaPool({ chunkBytes: 4 * KIB })

testMemtable({
  test,
  name: 'poor memtable over a tree',
  open: (order) => new PoorMemtable(new BPlusTree({ pool, order })),
  openImage: openMemtableImage,
})
