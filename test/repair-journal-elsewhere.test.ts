/** Repairing the directory of a file service, whose journals are elsewhere: it said that nothing was lost. */

import assert from 'node:assert/strict'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { test } from 'node:test'
import { Opened, ServedDirectories } from '../src/cli/serve/served-directory.ts'
import * as kvJobs from '../src/engines/kv/jobs.ts'
import { openKv } from '../src/engines/kv/open-kv.ts'
import { HandlerTable } from '../src/jobs/handler-table.ts'
import { InlineScheduler } from '../src/jobs/inline-scheduler.ts'
import { loadHash } from '../src/kernel/hash.ts'
import { shardId } from '../src/kernel/ids.ts'
import { repair } from '../src/local-repair.ts'
import { SystemClock } from '../src/system-clock.ts'
import { SystemRandom } from '../src/system-random.ts'

test('what is in a journal elsewhere is told as not saved, and tables are saved', async (context) => {
  const root = fs.mkdtempSync(path.join(os.tmpdir(), 'varve-elsewhere-'))
  context.after(() => fs.rmSync(root, { recursive: true }))
  const [directory, journals, target] = ['files', 'journals', 'saved'].map((name) => path.join(root, name)) as [
    string,
    string,
    string,
  ]
  const basis = { hash: await loadHash(), random: new SystemRandom(), clock: new SystemClock() }
  const opened = new Opened()
  const served = new ServedDirectories({ ...basis, opened })
  const { files, heads } = await served.files(directory)
  const journal = await served.sharedJournal(journals)
  const jobs = new InlineScheduler({ files, handlers: new HandlerTable({ 'varve/kv/jobs': kvJobs }), ...basis })
  const db = await openKv({ shard: shardId('main'), files, heads, journal, jobs, ...basis })
  await db.put(Buffer.from('in a table'), Buffer.from('value'))
  await db.flush()
  await db.put(Buffer.from('in the journal'), Buffer.from('value'), { durability: 'synced' })
  await db.close()
  await opened.close()

  const { entries, losses } = await repair(directory, target)
  assert.equal(entries, 1)
  assert.deepEqual(losses, [
    {
      file: 'journal',
      reason: 'the journal is elsewhere (shared): what was not in tables yet is not saved',
      keyFirst: undefined,
      keyLast: undefined,
    },
  ])
})
