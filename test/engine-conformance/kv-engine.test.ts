/** The key-value engine keeps what every engine promises. */

import { test } from 'node:test'
import { testEngine } from '../../src/testing/engine-conformance.ts'
import { kvSuite } from './kv-suite.ts'

testEngine({ test, name: 'kv', ...kvSuite() })
