/** What an owner wrote after it was replaced was never acknowledged, and a repair does not save it. */

import assert from 'node:assert/strict'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { test } from 'node:test'
import { repair } from '../src/local-repair.ts'
import { open } from '../src/local.ts'

test('what an owner wrote behind the end that its successor found is not saved', async (context) => {
  const place = fs.mkdtempSync(path.join(os.tmpdir(), 'varve-replaced-owner-'))
  context.after(() => fs.rmSync(place, { recursive: true, force: true }))
  const [live, copy, target] = ['live', 'copy', 'target'].map((name) => path.join(place, name)) as [
    string,
    string,
    string,
  ]
  const segmentOf = (directory: string): string => {
    const journal = path.join(directory, 'journal', 'main')
    return path.join(journal, fs.readdirSync(journal).find((name) => name.endsWith('-00000001.log')) as string)
  }
  const db = await open(live)
  // Two of them: the last one that its successor finds goes to a file of its own.
  for (const key of ['former', 'other']) await db.put(Buffer.from(key), Buffer.from('value'))
  const { size } = fs.statSync(segmentOf(live))
  await db.put(Buffer.from('zombie'), Buffer.from('value'))
  // As a process that is killed leaves it.
  fs.cpSync(live, copy, { recursive: true, filter: (from) => !path.basename(from).startsWith('lock') })
  await db.close()

  const segment = segmentOf(copy)
  const late = fs.readFileSync(segment)
  fs.truncateSync(segment, size)
  const next = await open(copy)
  await next.put(Buffer.from('next'), Buffer.from('value'))
  await next.close()
  fs.writeFileSync(segment, late)

  assert.deepEqual(await repair(copy, target).then(({ entries, losses }) => ({ entries, losses })), {
    entries: 3,
    losses: [],
  })
  const saved = await open(target)
  assert.equal(await saved.get(Buffer.from('zombie')), undefined)
  assert.equal(String(await saved.get(Buffer.from('next'))), 'value')
  await saved.close()
})
