import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ConsoleOutput } from './console-output.ts'
import { ProgressBar } from './progress-bar.ts'

function streams(isTTY: boolean): { readonly out: string[]; readonly err: string[]; readonly output: ConsoleOutput } {
  const out: string[] = []
  const err: string[] = []
  const stdout = { isTTY, columns: 80, write: (text: string) => out.push(text) }
  const stderr = { isTTY, columns: 80, write: (text: string) => err.push(text) }
  return { out, err, output: new ConsoleOutput(stdout, stderr, { plain: false }) }
}

test('on a terminal the bar is redrawn in its line, ten times a second at most, and never wraps', () => {
  const { out, err, output } = streams(true)
  let nowMs = 0
  const bar = new ProgressBar(output, { label: 'ingest', item: 'file', total: 1000, now: () => nowMs })
  for (let index = 0; index < 1000; index++) {
    nowMs += 1
    bar.advance(1, 5000)
  }
  assert.ok(err.length >= 5 && err.length <= 11, `drawn ${err.length} times`)
  for (const text of err) {
    assert.ok(text.startsWith('\r\u001b[K'))
    assert.ok(text.length - 4 < 80, `${text.length} characters`)
  }
  assert.match(err.at(-1) ?? '', /ingest {2}█+ {2}100 % {2}1,000 of 1,000 files {2}5\.00 MB {2}1,000\/s$/)
  assert.deepEqual(out, [])
})

test('where nobody watches, progress is a plain line every few seconds', () => {
  const { err, output } = streams(false)
  let nowMs = 0
  const bar = new ProgressBar(output, { label: 'ingest', item: 'file', total: 10, now: () => nowMs })
  for (let index = 0; index < 10; index++) {
    nowMs += 1000
    bar.advance(1, 1_000_000)
  }
  assert.deepEqual(err, [
    'ingest  50 %  5 of 10 files  5.00 MB  1.00/s  5.00 s left\n',
    'ingest  100 %  10 of 10 files  10.0 MB  1.00/s\n',
  ])
})

test('a line printed under a status takes its place and the status comes back below', () => {
  const { out, err, output } = streams(true)
  output.status('working')
  output.line('a result')
  output.status('')
  assert.deepEqual(out, ['a result\n'])
  assert.deepEqual(err, ['\r\u001b[Kworking', '\r\u001b[K', '\r\u001b[Kworking', '\r\u001b[K'])
})
