/** Many runs of the model over every composition. */

import { test } from 'node:test'
import { testCompositions } from './kv-compositions.ts'

testCompositions(test, { simulated: 150, local: 15 })
