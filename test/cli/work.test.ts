/** `varve work`: what it is told wrongly. What it does is in serve.test.ts, beside who gives it work. */

import assert from 'node:assert/strict'
import { getPriority } from 'node:os'
import { test } from 'node:test'
import { Workplace } from './varve-process.ts'

test('a worker that is told nonsense says which part of it, and has not stood back', async (context) => {
  const work = new Workplace(context)
  const before = getPriority()
  const there = ['--jobs-at', 'unix:nobody.sock']
  for (const [words, expected] of [
    [[], /needs --jobs-at/],
    [['--jobs-at', 'here'], /not 'here'/],
    [[...there, '--places', '0'], /--places is a number from 1 to 64, not '0'/],
    [[...there, '--memory', 'all'], /--memory is a number from 1 to 1048576, not 'all'/],
    [[...there, '--nice', '20'], /--nice is a number from 0 to 19, not '20'/],
    [[...there, '--nice=-1'], /--nice is a number from 0 to 19, not '-1'/],
    [[...there, '--token', 'none'], /none/],
  ] as const) {
    const { code, errors } = await work.inProcess(['work', ...words])
    assert.equal(code, 2, errors)
    assert.match(errors, expected)
  }
  assert.equal(getPriority(), before)
})
