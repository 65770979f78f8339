/** A few runs of the model over every composition; `kv-compositions.extra.ts` makes many. */

import { test } from 'node:test'
import { testCompositions } from './kv-compositions.ts'

testCompositions(test, { simulated: 12, local: 2 })
