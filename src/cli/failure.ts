/** Errors as a stranger can use them: what happened, and what to do about it. */

import { VarveError } from '../kernel/errors.ts'
import type { ErrorCode, ErrorKind } from '../kernel/errors.ts'
import { UNFINISHED } from '../local-layout.ts'
import { EXIT_CODES } from './exit-code.ts'
import type { ExitCode } from './exit-code.ts'
import { ExportError } from './transfer/export-error.ts'
import { InputError } from './transfer/input-error.ts'
import type { Output } from './output.ts'
import { UsageError } from './usage-error.ts'

/** By kind: what the person at the terminal can do. */
const ADVICE: Readonly<Record<ErrorKind, string>> = {
  retry: 'What is stored is as it was. Try again once the cause is gone.',
  unknown: 'The last write may or may not have happened. Run the command again: opening replays what did.',
  fenced: 'Another process has taken the shard over. Stop the one you do not want, then try again.',
  closed: 'The work was stopped before it was done.',
  invalid: 'Nothing was changed. Change the command or the directory it names.',
  corrupt:
    'Stored bytes are damaged or missing. `varve verify DIR` lists what; restore that from a backup, or save what is left with `varve repair`.',
  bug: 'This is a defect in varve. Please report it with the message above.',
}

/** Where a code knows more than its kind. */
const ADVICE_BY_CODE: Partial<Readonly<Record<ErrorCode, string>>> = {
  LOCKED: 'Close the other process, or use a command that only reads: get, scan, export, stats, tree, verify, dump.',
  NO_SPACE: 'What is stored is as it was. Make room on the device, then try again.',
  OUT_OF_FILES: 'Raise the limit of open files (`ulimit -n`), then try again.',
  FILE_MISSING:
    'Where another process writes to the shard, it has replaced the file meanwhile: try again. Otherwise a file is lost: restore it from a backup, or save what is left with `varve repair`.',
  NOT_FOUND: 'Check the name of the directory: there is no shard in it.',
  SUPERSEDED:
    'Others have its keys now, for good: `varve dump DIR head` shows which, and `--shard NAME` opens one of them.',
  EXISTS: 'Name another directory, or remove what is there first.',
  PERMISSION_DENIED: 'Check who owns the directory and what its mode allows.',
  INCOMPATIBLE: 'Nothing was changed. Use the version of varve, and the key order, that wrote the shard.',
}

/** Tells `output` about `error` and gives the exit code. With `debug`, the stack trace follows. */
export function reportFailure(error: unknown, output: Output, debug: boolean): ExitCode {
  for (const line of describeFailure(error)) output.note(line)
  if (debug && error instanceof Error) output.note(stackOf(error))
  return error instanceof UsageError ? EXIT_CODES.usage : EXIT_CODES.failure
}

export function describeFailure(error: unknown): readonly string[] {
  if (error instanceof UsageError) {
    const { message, command } = error
    const help = command === undefined ? '`varve help` lists commands' : `\`varve help ${command}\` lists its options`
    return [`varve: ${message}`, `${help}.`]
  }
  if (error instanceof InputError) {
    return [`varve: ${error.message}`, ...(error.advice === undefined ? [] : [error.advice])]
  }
  if (error instanceof ExportError) return [`varve: ${error.message}`, ...error.lines]
  if (error instanceof VarveError) {
    return [`varve: ${describeError(error)}`, adviceFor(error)]
  }
  // Errors of the system explain themselves: `ENOENT: no such file or directory, open 'x'`.
  if (isSystemError(error)) return [`varve: ${error.message}`]
  return [
    `varve: ${describeError(error)}`,
    'This was not expected. Set VARVE_DEBUG=1 to see where it happened, and please report it.',
  ]
}

/** One line: code, message, and the first cause that adds something. */
export function describeError(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const own = error instanceof VarveError ? `${error.code}: ${error.message}` : error.message
  const { cause } = error
  if (!(cause instanceof Error)) return own
  // The same once more, with what the system called it: only who debugs wants to know.
  if (cause instanceof VarveError && error instanceof VarveError && cause.code === error.code) return own
  if (!own.includes(cause.message)) return `${own} (${describeError(cause)})`
  return cause instanceof VarveError && !own.includes(cause.code) ? `${own} (${cause.code})` : own
}

function adviceFor(error: VarveError): string {
  // A job fails for a reason that it does not share: a damaged input is not cured by another try.
  if (error.code === 'JOB_FAILED' && error.cause instanceof VarveError) return adviceFor(error.cause)
  if (error.code === 'INCOMPATIBLE' && error.details['what'] === 'encryption' && error.details['found'] === 'none')
    return 'Nothing was changed. Leave the keys out.'
  if (error.code === 'INCOMPATIBLE' && error.details['what'] === 'encryption') {
    return 'Nothing was changed. Only a program that gives its keys to `open` can read it: the command has none.'
  }
  if (error.code === 'INCOMPATIBLE' && error.details['what'] === 'rpc')
    return 'Nothing was changed. Use the same version of varve at both ends.'
  if (error.code === 'INCOMPATIBLE' && isOfAnotherJournal(error)) {
    return 'Nothing was changed. Its journal is not in this directory, or not its alone: ask the program or the `varve serve` that has it.'
  }
  if (error.code === 'NOT_FOUND' && 'shards' in error.details) return 'Name it with `--shard NAME`.'
  if (error.code === 'HEAD_CORRUPT' && error.details['file'] === UNFINISHED)
    return 'Nothing was changed. What it was made of is still where it was.'
  // Not what may be read, but what is there.
  if (error.code === 'PERMISSION_DENIED' && 'found' in error.details) {
    return 'Put back what was there, or save what is left with `varve repair`.'
  }
  if (error.code === 'EXISTS' && 'found' in error.details)
    return 'Move it away and put back the directory that was there, or name another directory.'
  // Denied by a server, not by the system.
  if (error.code === 'PERMISSION_DENIED' && !('path' in error.details)) {
    return 'Nothing was changed. Tokens, certificates and what they allow are described in docs/remote.md.'
  }
  return ADVICE_BY_CODE[error.code] ?? ADVICE[error.kind]
}

function isSystemError(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && 'syscall' in error && 'code' in error
}

function stackOf(error: Error): string {
  const cause = error.cause instanceof Error ? `\ncaused by ${stackOf(error.cause)}` : ''
  return `${error.stack ?? error.message}${cause}`
}

/** Another kind of journal, such as `shared version 1` for `local version 1`, and not another version of one. */
function isOfAnotherJournal({ details: { what, found, expected } }: VarveError): boolean {
  const kindOf = (described: unknown): string | undefined => String(described).split(' ')[0]
  return what === 'journal' && kindOf(found) !== kindOf(expected)
}
