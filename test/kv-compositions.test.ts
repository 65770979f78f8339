/**
 * A few runs of the model over every composition on a simulated disk; `kv-compositions.extra.ts` makes many,
 * in directories too.
 */

import { test } from 'node:test'
import { testCompositions } from './kv-compositions.ts'

testCompositions(test, { simulated: 12, local: 0 })
