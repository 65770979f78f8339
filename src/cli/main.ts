#!/usr/bin/env node
/** The `varve` command, as the system starts it: arguments, streams, signals and exit code. */

import { StreamSink } from './byte-sink.ts'
import { runCommandLine } from './command-line.ts'
import { ConsoleOutput } from './console-output.ts'
import { EXIT_CODES } from './exit-code.ts'
import { StandardInput } from './standard-input.ts'

const { argv, env, stdout, stderr } = process

// `varve tree DIR | head`: nobody reads any more, so there is nothing left to do. Not a success: it was not finished.
stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') stderr.write(`varve: standard output cannot be written: ${error.message}\n`)
  process.exit(EXIT_CODES.failure)
})
// Nobody reads what there is to say about the work; the work goes on.
stderr.on('error', () => undefined)

const stop = new AbortController()
// The first Ctrl-C lets the command clean up, the next one ends it as usual.
process.once('SIGINT', () => stop.abort(new Error('stopped by Ctrl-C')))
// What stops services, and only knows of one signal.
if (argv[2] === 'serve' || argv[2] === 'work') process.once('SIGTERM', () => stop.abort(new Error('terminated')))

// A command may wait for something that does not keep the process: a failed job's next try, say.
const alive = setInterval(() => undefined, 60_000)
const output = new ConsoleOutput(stdout, stderr, { plain: env['CI'] !== undefined || env['TERM'] === 'dumb' })
process.exitCode = await runCommandLine(
  argv.slice(2),
  {
    output,
    stdin: new StandardInput(() => process.stdin),
    stdout: new StreamSink(stdout),
    signal: stop.signal,
    onHangUp: (listener) => void process.on('SIGHUP', listener),
    now: () => performance.now(),
  },
  { debug: env['VARVE_DEBUG'] === '1' },
)
clearInterval(alive)
