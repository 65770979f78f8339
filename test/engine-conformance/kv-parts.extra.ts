/** The key-value engine keeps what every engine promises over other parts, and with other settings. */

import { test } from 'node:test'
import { SortedArrayMemtable } from '../../src/memtable/sorted-array.ts'
import { testEngine } from '../../src/testing/engine-conformance.ts'
import { PoorMemtable } from '../../src/testing/poor-memtable.ts'
import { kvSuite } from './kv-suite.ts'
import { encryptedParts, forgetfulHeads, poorDisk, poorParts } from './parts.ts'

testEngine({ test, name: 'kv over poor parts', ...kvSuite(), ...poorParts() })
testEngine({ test, name: 'kv on a poor disk', ...kvSuite(), ...poorDisk() })
testEngine({ test, name: 'kv over encrypted parts', ...kvSuite(), ...encryptedParts() })
testEngine({ test, name: 'kv over heads whose answers are lost', ...kvSuite(), ...forgetfulHeads() })
testEngine({ test, name: 'kv, tiered', ...kvSuite({ policy: 'tiered' }) })
testEngine({ test, name: 'kv with key columns', ...kvSuite({ keyColumns: true }) })
testEngine({
  test,
  name: 'kv with a poor memtable',
  ...kvSuite({}, { memtable: (order) => new PoorMemtable(new SortedArrayMemtable({ order })) }),
})
