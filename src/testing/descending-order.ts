/** The bytewise order backwards: one that heads and prefixes would get wrong. */

import { BYTEWISE } from '../kernel/key-order.ts'
import type { KeyOrder } from '../kernel/key-order.ts'

export const DESCENDING: KeyOrder = Object.freeze({
  name: 'descending',
  bytewise: false,
  compare: (a, aStart, aLimit, b, bStart, bLimit) => BYTEWISE.compare(b, bStart, bLimit, a, aStart, aLimit),
} satisfies KeyOrder)
