/** Kills a writing process again and again, and looks each time at what is left. */

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { open } from '../../src/local.ts'
import { SeededRandom } from '../../src/testing/seeded-random.ts'
import { keyOf, LEFT, RIGHT, SETTINGS, valueOf } from './batches.ts'

const WRITERS = {
  kill: fileURLToPath(new URL('./writer.js', import.meta.url)),
  'power cut': fileURLToPath(new URL('./power-cut-writer.js', import.meta.url)),
}
// From the first word of a process on, or from its start for those that are killed while they open.
const DELAY_MS_MAX = { kill: 200, 'power cut': 150 }

/**
 * What the time until the end counts from: while it starts, recovers or replays; once it is open; and, so that there are
 * acknowledgements however slow the machine, once there is one.
 */
const WHEN = ['open', 'ack', 'open', 'start'] as const

export interface KillReport {
  readonly acknowledged: number
  readonly killedWhileOpening: number
}

/**
 * @param means of ending a process: `power cut` loses what was not synced, and only what was asked to be is acknowledged
 * @throws {AssertionError} an acknowledged batch is gone, a batch is half there, or there is a hole
 */
export async function killLoop(kills: number, seed: number, means: keyof typeof WRITERS = 'kill'): Promise<KillReport> {
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'varve-kill-'))
  const random = new SeededRandom(seed)
  let acknowledged = 0
  let next = 1
  let killedWhileOpening = 0
  try {
    for (let kill = 0; kill < kills; kill++) {
      const when = WHEN[kill % WHEN.length] ?? 'open'
      const output = await runAndKill(WRITERS[means], directory, next, random.below(DELAY_MS_MAX[means]), when)
      if (!output.startsWith('open\n')) killedWhileOpening++
      const acks = [...output.matchAll(/^ack ([0-9]+)$/gm)].map((match) => Number(match[1]))
      acknowledged = Math.max(acknowledged, ...acks)
      next = (await lastBatch(directory, acknowledged, `seed ${seed}, kill ${kill}`)) + 1
    }
    return { acknowledged, killedWhileOpening }
  } finally {
    fs.rmSync(directory, { recursive: true, force: true })
  }
}

async function runAndKill(
  writer: string,
  directory: string,
  first: number,
  delayMs: number,
  when: (typeof WHEN)[number],
): Promise<string> {
  const child = spawn(process.execPath, [writer, directory, String(first)], { stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  let errors = ''
  let waiting = when !== 'start'
  const kill = (): void => void child.kill('SIGKILL')
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text
    if (waiting && output.includes(when)) {
      waiting = false
      setTimeout(kill, delayMs)
    }
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => (errors += text))
  const exited = once(child, 'close')
  if (when === 'start') setTimeout(kill, 30 + delayMs)
  await exited
  assert.equal(errors, '', 'the writer failed by itself')
  return output
}

/** Number of the last batch found, all before it being there, whole. */
async function lastBatch(directory: string, acknowledged: number, what: string): Promise<number> {
  // Threads would take longer to start than there is to read.
  const db = await open(directory, { settings: SETTINGS, jobs: 'inline' })
  try {
    let last = 0
    for await (const { key, value } of db.scan({ prefix: Buffer.from(LEFT) })) {
      last++
      assert.deepEqual(key, keyOf(LEFT, last), `${what}: a hole before batch ${last}`)
      assert.deepEqual(value, valueOf(last), `${what}: batch ${last} has another value`)
    }
    let right = 0
    for await (const { key, value } of db.scan({ prefix: Buffer.from(RIGHT) })) {
      right++
      assert.deepEqual(key, keyOf(RIGHT, right), `${what}: a hole before the other half of batch ${right}`)
      assert.deepEqual(value, valueOf(right))
    }
    assert.equal(last, right, `${what}: a batch is half there`)
    assert.ok(last >= acknowledged, `${what}: batch ${acknowledged} was acknowledged, the last one found is ${last}`)
    return last
  } finally {
    await db.close()
  }
}
