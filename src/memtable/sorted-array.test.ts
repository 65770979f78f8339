import { test } from 'node:test'
import { testMemtable } from '../testing/memtable-conformance.ts'
import { openSortedArrayImage, SortedArrayMemtable } from './sorted-array.ts'
import type { SortedArrayImage } from './sorted-array.ts'

testMemtable({
  test,
  name: 'sorted array',
  open: (order) => new SortedArrayMemtable({ order }),
  openImage: (image, order) => openSortedArrayImage(image as SortedArrayImage, order),
})
