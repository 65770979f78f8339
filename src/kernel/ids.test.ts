import assert from 'node:assert/strict'
import { test } from 'node:test'
import { VarveError } from './errors.ts'
import { epoch, fileName, isShardId, journalPosition, seqno, shardId } from './ids.ts'
import { LIMITS } from './limits.ts'

test('seqnos, epochs and positions are integers of 0 to 2^53 − 1', () => {
  for (const parse of [seqno, epoch, journalPosition]) {
    for (const good of [0, 1, 2 ** 32, Number.MAX_SAFE_INTEGER]) assert.equal(parse(good), good)
    for (const bad of [-1, 0.5, 2 ** 53, Number.NaN, Number.POSITIVE_INFINITY]) assert.throws(() => parse(bad))
  }
})

const refused = (parse: () => unknown): void => {
  assert.throws(parse, (error) => error instanceof VarveError && error.code === 'LIMIT_EXCEEDED')
}

test('names cannot be paths, options, hidden files or anything a file system reads differently', () => {
  const longest = 'a'.repeat(LIMITS.shardNameLengthMax)
  for (const good of ['a', '0', 'shard-1', 'a_b', longest]) {
    assert.equal(fileName(good), good)
    assert.equal(shardId(good), good)
    assert.ok(isShardId(good))
  }
  const longestFile = 'a'.repeat(LIMITS.fileNameLengthMax)
  assert.equal(fileName(longestFile), longestFile)
  refused(() => fileName(`${longestFile}a`))
  refused(() => shardId(`${longest}a`))
  for (const bad of ['', '.', '..', '.a', '-a', '_a', 'a/b', 'a\\b', 'a:b', 'A', 'é', 'a b', 'a\0', 'a\n']) {
    refused(() => fileName(bad))
    refused(() => shardId(bad))
    assert.ok(!isShardId(bad))
  }
})

test('a file name may have dots and a shard id may not, so that no shard has files of another', () => {
  assert.equal(fileName('shard.e1-1.sst'), 'shard.e1-1.sst')
  refused(() => shardId('shard.e1'))
})
