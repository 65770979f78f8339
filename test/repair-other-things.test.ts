/** Repairing a database with something else in the place of one of its directories. */

import assert from 'node:assert/strict'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { test } from 'node:test'
import { repair } from '../src/local-repair.ts'
import { open } from '../src/local.ts'

/** One entry in a table, one in the journal. */
async function makeDatabase(directory: string): Promise<void> {
  const db = await open(directory, { jobs: 'inline' })
  await db.put(Buffer.from('in a table'), Buffer.from('value'))
  await db.flush()
  await db.put(Buffer.from('in the journal'), Buffer.from('value'), { durability: 'synced' })
  await db.close()
}

for (const part of ['heads', 'journal', 'files']) {
  test(`what lies in the place of ${part} is named, and what is elsewhere is saved`, async (context) => {
    const root = fs.mkdtempSync(path.join(os.tmpdir(), 'varve-repair-'))
    context.after(() => fs.rmSync(root, { recursive: true }))
    const [directory, moved, target] = ['data', 'moved', 'saved'].map((name) => path.join(root, name)) as [
      string,
      string,
      string,
    ]
    await makeDatabase(directory)
    fs.renameSync(path.join(directory, part), moved)
    fs.writeFileSync(path.join(directory, part), 'notes')

    const { entries, losses } = await repair(directory, target)
    assert.equal(entries, part === 'heads' ? 2 : 1)
    const named = losses.filter(({ file }) => file === part)
    assert.deepEqual(
      named.map(({ reason }) => reason),
      [`list of ${part} failed: there is a file in its place`],
    )

    fs.rmSync(path.join(directory, part))
    fs.renameSync(moved, path.join(directory, part))
    assert.deepEqual((await repair(directory, `${target}-whole`)).losses, [])
  })
}

test('a directory in the place of a head or a segment of the journal is named, and what is elsewhere is saved', async (context) => {
  const root = fs.mkdtempSync(path.join(os.tmpdir(), 'varve-repair-'))
  context.after(() => fs.rmSync(root, { recursive: true }))
  for (const part of ['heads', 'journal/main'] as const) {
    const [directory, target] = ['data', 'saved'].map((name) => path.join(root, `${name}-${path.basename(part)}`)) as [
      string,
      string,
    ]
    await makeDatabase(directory)
    const isOne = (name: string): boolean => name.includes('.head-') || name.endsWith('.log')
    const newest = fs.readdirSync(path.join(directory, part)).filter(isOne).sort().at(-1) as string
    fs.rmSync(path.join(directory, part, newest))
    fs.mkdirSync(path.join(directory, part, newest))
    const { entries, losses } = await repair(directory, target)
    assert.equal(entries, part === 'heads' ? 2 : 1)
    const reasons = losses.filter(({ file }) => file.endsWith(newest)).map(({ reason }) => reason)
    assert.ok(
      reasons.some((reason) => reason.includes('there is a directory in its place')),
      JSON.stringify(losses),
    )
  }
})
