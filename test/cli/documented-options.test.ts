/** The page about the command and what the command says of itself: whoever reads one misses no option of the other. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { COMMANDS } from '../../src/cli/command-table.ts'
import { readText } from '../../tools/repository.ts'

/** Those of `npm`, and of every command. */
const OTHERS = ['help', 'version']

const page = readText('docs/command.md')
const commands = COMMANDS.filter(({ internal }) => internal !== true)
const options = new Set(commands.flatMap((command) => command.options.map(({ name }) => name)))
const written = new Set([...page.matchAll(/--([a-z][a-z0-9-]*)/g)].map(([, name]) => name as string))

test('every option of every command is in its page', () => {
  assert.ok(options.size > 20)
  assert.deepEqual(
    [...options].filter((name) => !written.has(name)),
    [],
  )
})

test('every option in the page of the command is one', () => {
  assert.deepEqual(
    [...written].filter((name) => !options.has(name) && !OTHERS.includes(name)),
    [],
  )
})
