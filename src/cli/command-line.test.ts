import assert from 'node:assert/strict'
import { test } from 'node:test'
import { VarveError } from '../kernel/errors.ts'
import { COMMANDS } from './command-table.ts'
import { runCommandLine } from './command-line.ts'
import { describeFailure, reportFailure } from './failure.ts'
import type { CommandContext } from './command.ts'
import type { Output } from './output.ts'

function recorder(): { readonly lines: string[]; readonly notes: string[]; readonly output: Output } {
  const lines: string[] = []
  const notes: string[] = []
  const output: Output = {
    columns: 100,
    live: false,
    line: (text = '') => void lines.push(text),
    note: (text) => void notes.push(text),
    status: () => undefined,
  }
  return { lines, notes, output }
}

function contextOf(output: Output, signal: AbortSignal): CommandContext {
  return {
    output,
    stdin: { interactive: false, read: () => (async function* () {})() },
    stdout: { interactive: false, write: () => undefined, flush: () => Promise.resolve() },
    signal,
    onHangUp: () => undefined,
    now: () => 0,
  }
}

async function run(...words: string[]): Promise<{ code: number; lines: string; notes: string }> {
  const { lines, notes, output } = recorder()
  const context = contextOf(output, new AbortController().signal)
  const code = await runCommandLine(words, context, { debug: false })
  return { code, lines: lines.join('\n'), notes: notes.join('\n') }
}

test('a command line that makes no sense exits with 2 and says which part of it', async () => {
  for (const [words, expected] of [
    [['frobnicate'], /no command 'frobnicate'/],
    [['tree'], /DIR is missing/],
    [['tree', 'a', 'b'], /does not take 'b'/],
    [['tree', '--nope', 'a'], /'--nope'/],
    [['demo', '--data'], /--data/],
    [['demo', '--check-only'], /--check-only needs --data/],
    [['demo', '--input', 'a-directory-that-is-not-there'], /a-directory-that-is-not-there/],
    [['demo-check', '--data', 'x'], /started by `varve demo`/],
  ] as const) {
    const { code, notes } = await run(...words)
    assert.equal(code, 2, `${words.join(' ')}: ${notes}`)
    assert.match(notes, expected)
  }
})

test('help lists every command that is meant for people, and each has help of its own', async () => {
  const { code, lines } = await run('help')
  assert.equal(code, 0)
  for (const { name } of COMMANDS.filter(({ internal }) => internal !== true)) {
    assert.match(lines, new RegExp(`^ {2}${name}\\b`, 'm'))
    const own = await run('help', name)
    assert.equal(own.code, 0)
    assert.match(own.lines, new RegExp(`^Usage: varve ${name}`))
    assert.equal((await run(name, '--help')).lines, own.lines)
  }
  assert.doesNotMatch(lines, /demo-check/)
  assert.equal((await run('--help')).lines, lines)
})

test('without a command the help goes to the errors and the exit code is 2', async () => {
  const { code, lines, notes } = await run()
  assert.equal(code, 2)
  assert.equal(lines, '')
  assert.match(notes, /Usage: varve COMMAND/)
})

test('the version is the one of the package', async () => {
  const { code, lines } = await run('--version')
  assert.equal(code, 0)
  assert.match(lines, /^\d+\.\d+\.\d+/)
})

test('a failure is told by code, message, cause and advice, and a stack trace only on request', () => {
  const cause = new Error('the disk said no')
  const error = new VarveError('TABLE_CORRUPT', 'block at x.table:4096 is damaged', { cause })
  for (const debug of [false, true]) {
    const { notes, output } = recorder()
    assert.equal(reportFailure(error, output, debug), 1)
    assert.equal(notes[0], 'varve: TABLE_CORRUPT: block at x.table:4096 is damaged (the disk said no)')
    assert.match(notes[1] ?? '', /backup/)
    assert.equal(/^ {4}at /m.test(notes.join('\n')), debug)
  }
})

test('the advice about a failed job is that about its cause', () => {
  const cause = new VarveError('TABLE_CORRUPT', 'block at x.table:4096 is damaged')
  const lines = describeFailure(new VarveError('JOB_FAILED', 'job 4: block at x.table:4096 is damaged', { cause }))
  assert.deepEqual(lines[0], 'varve: JOB_FAILED: job 4: block at x.table:4096 is damaged (TABLE_CORRUPT)')
  assert.match(lines[1] ?? '', /backup/)
})

test('a command that is stopped by its user ends with 130', async () => {
  const { notes, output } = recorder()
  const stop = new AbortController()
  stop.abort(new Error('stopped'))
  const context = contextOf(output, stop.signal)
  assert.equal(await runCommandLine(['demo', '--input', '.'], context, { debug: false }), 130)
  assert.deepEqual(notes.at(-1), 'varve: stopped')
})
