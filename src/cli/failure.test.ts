import assert from 'node:assert/strict'
import { test } from 'node:test'
import { VarveError } from '../kernel/errors.ts'
import { describeFailure } from './failure.ts'

test('who meets a server of another version is not sent looking for the version that wrote the shard', () => {
  const [, advice] = describeFailure(new VarveError('INCOMPATIBLE', 'other versions', { details: { what: 'rpc' } }))
  assert.match(advice ?? '', /same version of varve at both ends/)
  const [, other] = describeFailure(new VarveError('INCOMPATIBLE', 'other order', { details: { what: 'comparator' } }))
  assert.match(other ?? '', /that wrote the shard/)
})
