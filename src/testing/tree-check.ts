/** Checks what a B+tree in an arena promises itself, node by node. For tests. */

import assert from 'node:assert/strict'
import { copyOf, headOf } from '../kernel/bytes.ts'
import type { KeyOrder } from '../kernel/key-order.ts'
import { ArenaView } from '../memtable/arena-view.ts'
import { Tree } from '../memtable/tree.ts'
import {
  NODE_BEFORE,
  NODE_CHILDREN,
  NODE_COUNT,
  NODE_HEADS,
  NODE_KEYS_MAX,
  NODE_NEXT,
  NODE_PREFIX_LENGTH,
  NODE_RECORDS,
} from '../memtable/tree-layout.ts'
import type { TreeImage } from '../memtable/tree-reader.ts'

/** How large a tree is. */
export interface TreeShape {
  /** Levels of nodes, leaves included. */
  readonly height: number
  /** Leaves. */
  readonly leaves: number
  /** Distinct keys. */
  readonly keys: number
}

/** @returns the shape of the tree, once everything has been found in order */
export function checkTree(image: TreeImage, order: KeyOrder): TreeShape {
  const tree = new Tree(new ArenaView(image.chunkBytes, image.chunks), order)
  tree.prefix = image.prefix
  const leaves: number[] = []
  let keys = 0

  function key(record: number): Uint8Array {
    const start = tree.keyStart(record)
    return copyOf(tree.chunkBytes(record), start, start + tree.keyLength(record))
  }

  /** All keys below `node` are in [low, high). */
  function visit(node: number, level: number, low: number, high: number): void {
    const count = tree.word(node, NODE_COUNT)
    const prefixLength = tree.word(node, NODE_PREFIX_LENGTH)
    assert.ok(count <= NODE_KEYS_MAX, 'a node has at most NODE_KEYS_MAX keys')
    let before = low
    for (let index = 0; index < count; index++) {
      const record = tree.word(node, NODE_RECORDS + index)
      const bytes = key(record)
      if (before !== 0) {
        const last = key(before)
        const comparison = order.compare(last, 0, last.length, bytes, 0, bytes.length)
        const mayBeEqual = index === 0 && level === 1
        assert.ok(comparison < 0 || (mayBeEqual && comparison === 0), 'keys ascend')
      }
      before = record
      if (order.bytewise) {
        assert.ok(bytes.length >= prefixLength, 'a key has at least the prefix of its node')
        const first = key(tree.word(node, NODE_RECORDS))
        assert.deepEqual(
          copyOf(bytes, 0, prefixLength),
          copyOf(first, 0, prefixLength),
          'keys of a node share its prefix',
        )
        assert.equal(tree.word(node, NODE_HEADS + index), headOf(bytes, prefixLength, bytes.length) >>> 1, 'head')
      }
    }
    if (before !== 0 && high !== 0) {
      const last = key(before)
      const limit = key(high)
      assert.ok(order.compare(last, 0, last.length, limit, 0, limit.length) < 0, 'keys stay below the separator')
    }
    if (level === 1) {
      assert.ok(count > 0, 'no leaf is empty')
      leaves.push(node)
      keys += count
      return
    }
    for (let index = 0; index <= count; index++) {
      const left = index === 0 ? low : tree.word(node, NODE_RECORDS + index - 1)
      const right = index === count ? high : tree.word(node, NODE_RECORDS + index)
      visit(tree.word(node, NODE_CHILDREN + index), level - 1, left, right)
    }
  }

  if (image.root !== 0) visit(image.root, image.height, 0, 0)
  assert.equal(image.firstLeaf, leaves[0] ?? 0, 'firstLeaf')
  assert.equal(image.lastLeaf, leaves.at(-1) ?? 0, 'lastLeaf')
  for (const [index, leaf] of leaves.entries()) {
    assert.equal(tree.word(leaf, NODE_BEFORE), leaves[index - 1] ?? 0, 'leaves are linked to the left')
    assert.equal(tree.word(leaf, NODE_NEXT), leaves[index + 1] ?? 0, 'and to the right')
  }
  assert.equal(keys, image.keyCount, 'every key has one slot')
  return { height: image.height, leaves: leaves.length, keys }
}
