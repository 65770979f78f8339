/** Some steps of a split and of a merge: all of them are in steps.extra.ts. */

import { test } from 'node:test'
import { MERGE, SPLIT } from './changes.ts'
import { crashAtSteps, failAtSteps, openAtSteps } from './steps.ts'

test('a crash at any step of a split leaves the old arrangement or the new one', () => crashAtSteps(SPLIT, 29))

test('a crash at any step of a merge leaves the old arrangement or the new one', () => crashAtSteps(MERGE, 31))

test('a split of which one step fails is made or is not, and the shard goes on', () => failAtSteps(SPLIT, 29))

test('a merge of which one step fails is made or is not, and the shards go on', () => failAtSteps(MERGE, 31))

test('of a split and another who opens the shard meanwhile one wins, and no acknowledged write is lost', () =>
  openAtSteps(17))
