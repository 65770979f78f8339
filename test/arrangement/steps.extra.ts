/** Many steps of a split and of a merge. With strides of 1 it is all of them, which takes two minutes of a free core. */

import { test } from 'node:test'
import { MERGE, SPLIT } from './changes.ts'
import { crashAtSteps, failAtSteps, openAtSteps } from './steps.ts'

test('a crash at any step of a split leaves the old arrangement or the new one', () => crashAtSteps(SPLIT, 2))

test('a crash at any step of a merge leaves the old arrangement or the new one', () => crashAtSteps(MERGE, 5))

test('a split of which one step fails is made or is not, and the shard goes on', () => failAtSteps(SPLIT, 4))

test('a merge of which one step fails is made or is not, and the shards go on', () => failAtSteps(MERGE, 5))

test('of a split and another who opens the shard meanwhile one wins, and no acknowledged write is lost', () =>
  openAtSteps(3))
