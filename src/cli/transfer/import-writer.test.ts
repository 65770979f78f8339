import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import fc from 'fast-check'
import { open } from '../../local.ts'
import { EXISTING_CHOICES, ImportWriter } from './import-writer.ts'

const entry = fc.tuple(fc.constantFrom('', 'a', 'b', 'ba', 'c', 'é', 'z'), fc.constantFrom('1', '2', ''))

test('what becomes of every entry is what a map says, also of those that are still on their way', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'varve-import-'))
  const shard = await open(directory, { jobs: 'inline' })
  const choice = fc.constantFrom(...EXISTING_CHOICES)
  try {
    await fc.assert(
      fc.asyncProperty(choice, fc.array(entry), fc.array(entry), async (existing, stored, given) => {
        const model = new Map(stored)
        for await (const { key } of shard.scan()) await shard.delete(key)
        for (const [key, value] of model) await shard.put(Buffer.from(key), Buffer.from(value))
        const writer = await ImportWriter.open(shard, existing)
        const counts = { replaced: 0, kept: 0, unchanged: 0 }
        for (const [key, value] of given) {
          const before = model.get(key)
          const outcome = writer.put(Buffer.from(key), Buffer.from(value))
          const differs = before !== undefined && before !== value
          assert.equal(outcome, !differs ? 'put' : { replace: 'replaced', keep: 'kept', stop: 'taken' }[existing])
          if (before === value) counts.unchanged++
          if (outcome === 'kept') counts.kept++
          if (outcome === 'replaced') counts.replaced++
          if (outcome === 'put' || outcome === 'replaced') model.set(key, value)
        }
        await writer.finish()
        const { replaced, kept, unchanged } = writer
        assert.deepEqual({ replaced, kept, unchanged }, counts)
        const found = new Map<string, string>()
        for await (const { key, value } of shard.scan())
          found.set(Buffer.from(key).toString(), Buffer.from(value).toString())
        assert.deepEqual(found, model)
      }),
      { numRuns: 200 },
    )
  } finally {
    await shard.close()
    rmSync(directory, { recursive: true, force: true })
  }
})
