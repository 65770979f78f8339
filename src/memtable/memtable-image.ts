/** Memtables of ordered keys as they were handed over, told apart by what they say they are. */

import { VarveError } from '../kernel/errors.ts'
import type { KeyOrder } from '../kernel/key-order.ts'
import type { OrderedReader } from './ordered-memtable.ts'
import { openSortedArrayImage } from './sorted-array.ts'
import type { SortedArrayImage } from './sorted-array.ts'
import { openTreeImage } from './tree-reader.ts'
import type { TreeImage } from './tree-reader.ts'

/** @throws {VarveError} INCOMPATIBLE — the image of a memtable that is not known here */
export function openMemtableImage(image: unknown, order: KeyOrder): OrderedReader {
  const kind = (image as Partial<TreeImage | SortedArrayImage> | null)?.kind
  if (kind === 'b-plus-tree') return openTreeImage(image as TreeImage, order)
  if (kind === 'sorted-array') return openSortedArrayImage(image as SortedArrayImage, order)
  throw new VarveError('INCOMPATIBLE', `a memtable of kind ${String(kind)} cannot be flushed here`, {
    details: { what: 'memtable image', found: String(kind), expected: 'b-plus-tree' },
  })
}
