/** The corruption sweep: a bit of every byte, every length, every sector wiped, older files, missing files. */

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'

const PART = fileURLToPath(new URL('./sweep-part.js', import.meta.url))
const PROCESSES = 2

/** Both halves at a time, each in a process of its own. */
async function sweepAll(share: number, kinds: readonly string[]): Promise<readonly string[]> {
  const outputs = Array.from({ length: PROCESSES }, async (_, index) => {
    const child = spawn(process.execPath, [PART, String(index), String(PROCESSES * share), ...kinds])
    let output = ''
    child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text))
    child.stderr.setEncoding('utf8').on('data', (text: string) => (output += text))
    const [code] = (await once(child, 'close')) as [number | null]
    assert.equal(code, 0, output)
    return output
  })
  return Promise.all(outputs)
}

test('every byte, every length, every sector and every file: a typed error, or the answers from before', async (context) => {
  const outputs = await sweepAll(1, [
    'a bit of every byte',
    'sectors wiped',
    'files replaced by older ones',
    'files deleted',
  ])
  // One in eight of the lengths and of the pairs: all of them would take longer than everything else together.
  const some = await sweepAll(8, ['every length', 'sectors swapped'])
  for (const output of [...outputs, ...some]) for (const line of output.trimEnd().split('\n')) context.diagnostic(line)
})
