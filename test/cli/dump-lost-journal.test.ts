/** `varve dump` of a directory whose journal, or part of it, has gone. */

import assert from 'node:assert/strict'
import { cpSync } from 'node:fs'
import { test } from 'node:test'
import { open } from '../../src/local.ts'
import { Workplace } from './varve-process.ts'

test('dump journal tells of a journal that has gone, whatever of it is left, and exits with 1', async (context) => {
  const place = new Workplace(context)
  const db = await open(place.in('whole'), { jobs: 'inline' })
  await db.put(Buffer.from('key'), Buffer.from('value'))
  await db.close()
  const without = (name: string, gone: RegExp): void =>
    cpSync(place.in('whole'), place.in(name), {
      recursive: true,
      filter: (path) => !gone.test(path.slice(place.in('whole').length)),
    })
  without('all', /^\/journal/)
  without('content', /^\/journal\/main\/./)
  without('segments', /\.log$/)
  without('fence', /fence/)
  for (const name of ['all', 'content', 'segments', 'fence']) {
    const { code, text, errors } = await place.inProcess(['dump', name, 'journal'])
    assert.equal(code, 1, name)
    assert.match(text, /^!! JOURNAL_CORRUPT: /m, name)
    assert.match(errors, /1 damaged place/, name)
  }
  without('both', /^\/(?:journal|heads)/)
  const both = await place.inProcess(['dump', 'both', 'journal'])
  assert.equal(both.code, 1)
  assert.match(both.text, /!! there is no head either/)
})
