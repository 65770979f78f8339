/** An order of keys that counts how often it is asked. */

import { BYTEWISE } from '../src/kernel/key-order.ts'
import type { KeyOrder } from '../src/kernel/key-order.ts'

export class CountingOrder implements KeyOrder {
  readonly name = 'counting'
  readonly bytewise = false
  comparisons = 0
  compare: KeyOrder['compare'] = (...keys) => {
    this.comparisons++
    return BYTEWISE.compare(...keys)
  }
}
