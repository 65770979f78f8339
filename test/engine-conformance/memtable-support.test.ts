/** What the key-value engine asks of a memtable. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { VarveError } from '../../src/kernel/errors.ts'
import type { OrderedMemtable } from '../../src/memtable/ordered-memtable.ts'
import { SortedArrayMemtable } from '../../src/memtable/sorted-array.ts'
import { Simulation } from '../simulation.ts'

test('a memtable without versions is UNSUPPORTED: its snapshots would not stand still', async () => {
  const simulation = new Simulation(1, {})
  const supports = { versions: false }
  const withoutVersions = (): OrderedMemtable =>
    Object.defineProperty(new SortedArrayMemtable(), 'supports', { value: supports })
  simulation.composer = { compose: (parts) => ({ ...parts, memtable: withoutVersions }) }
  await assert.rejects(simulation.open(), (error) => {
    assert.ok(error instanceof VarveError)
    assert.deepEqual([error.code, error.details['capability']], ['UNSUPPORTED', 'versions'])
    return true
  })
})
