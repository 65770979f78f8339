/** abstract-level's suite over two compositions in memory; `abstract-level-compositions.extra.ts` takes the others. */

import { testLevelOver } from './abstract-level-compositions.ts'
import { compositionNamed } from './compositions.ts'

testLevelOver(['everything in memory', 'poor stores, a poor journal and poor jobs'].map(compositionNamed))
