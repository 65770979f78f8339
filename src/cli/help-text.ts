/** What `varve help` and `varve help COMMAND` say. */

import type { Command } from './command.ts'
import { showParameter } from './command-parameter.ts'
import { COMMANDS } from './command-table.ts'
import { renderPairs } from './text-table.ts'

const INDENT = '  '

export function overview(): readonly string[] {
  const listed = COMMANDS.filter(({ internal }) => internal !== true)
  return [
    'varve — an embeddable LSM storage engine',
    '',
    'Usage: varve COMMAND [OPTIONS]',
    '',
    ...renderNames(listed.map((command) => [usageOf(command), command.summary])),
    ...renderNames([
      ['help [COMMAND]', 'this, or what there is to know about one command; also --help'],
      ['--version', 'the version'],
    ]),
    '',
    'Exit codes: 0 done; 1 something failed, differs, or is not there; 2 the command line is wrong; 130 stopped by Ctrl-C.',
    'VARVE_DEBUG=1 shows the stack trace of an error.',
  ]
}

export function helpOf(command: Command): readonly string[] {
  const lines = [
    `Usage: varve ${usageOf(command)}${command.options.length > 0 ? ' [OPTIONS]' : ''}`,
    '',
    command.summary,
  ]
  if (command.details.length > 0) lines.push('', ...command.details)
  const options = command.options.map(({ name, value, help }): readonly [string, string] => [
    value === undefined ? `--${name}` : `--${name} ${value}`,
    help,
  ])
  if (options.length > 0) lines.push('', 'Options:', ...renderNames(options))
  return lines
}

function usageOf({ name, parameters }: Command): string {
  return [name, ...parameters.map(showParameter)].join(' ')
}

// One width for both lists of the overview.
const NAME_COLUMNS = 24

function renderNames(names: readonly (readonly [name: string, help: string])[]): readonly string[] {
  return renderPairs(names.map(([name, help]) => [name.padEnd(NAME_COLUMNS), '', help])).map((line) => INDENT + line)
}
