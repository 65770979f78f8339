/** abstract-level's suite over every composition. */

import { testLevelOver } from './abstract-level-compositions.ts'
import { COMPOSITIONS } from './compositions.ts'

testLevelOver(COMPOSITIONS)
