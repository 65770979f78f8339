/** The example engine keeps what every engine promises over other parts, of which it knows nothing. */

import { test } from 'node:test'
import { testEngine } from '../../src/testing/engine-conformance.ts'
import { PAGE_VIEWS_SUITE } from '../../examples/custom-engine/test/page-views-suite.ts'
import { encryptedParts, forgetfulHeads, poorDisk, poorParts } from './parts.ts'

testEngine({ test, name: 'page views over poor parts', ...PAGE_VIEWS_SUITE, ...poorParts() })
testEngine({ test, name: 'page views on a poor disk', ...PAGE_VIEWS_SUITE, ...poorDisk() })
testEngine({ test, name: 'page views over encrypted parts', ...PAGE_VIEWS_SUITE, ...encryptedParts() })
testEngine({ test, name: 'page views over heads whose answers are lost', ...PAGE_VIEWS_SUITE, ...forgetfulHeads() })
