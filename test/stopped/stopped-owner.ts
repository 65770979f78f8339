/**
 * Stops an owner with SIGSTOP at work, takes its shard over, writes, and lets it go on.
 *
 * The directory lock would refuse: its holder is alive. The successor opens without one, as a process on another machine
 * or in another container does, and only the epoch stands between the two.
 */

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { isCode } from '../../src/kernel/errors.ts'
import { loadHash } from '../../src/kernel/hash.ts'
import { shardId } from '../../src/kernel/ids.ts'
import * as kvJobs from '../../src/engines/kv/jobs.ts'
import type { KvShard } from '../../src/engines/kv/kv-shard.ts'
import { openKv } from '../../src/engines/kv/open-kv.ts'
import { LocalFileStore } from '../../src/fs/local-file-store.ts'
import { LocalHeadStore } from '../../src/fs/local-head-store.ts'
import { NodeDevice } from '../../src/fs/node-device.ts'
import { HandlerTable } from '../../src/jobs/handler-table.ts'
import { InlineScheduler } from '../../src/jobs/inline-scheduler.ts'
import { LocalJournalSystem } from '../../src/journal/local-journal-system.ts'
import { open } from '../../src/local.ts'
import { SystemClock } from '../../src/system-clock.ts'
import { SystemRandom } from '../../src/system-random.ts'
import { keyOf, LEFT, RIGHT, SETTINGS, valueOf } from '../kill/batches.ts'

const WRITER = fileURLToPath(new URL('./writer.js', import.meta.url))
const SUCCESSOR = 'successor/'
const BATCHES = 300

export interface StoppedReport {
  /** By the owner that was stopped. */
  readonly acknowledged: number
  /** Calls of it that were refused after it went on. */
  readonly refused: number
}

/** @param workMs how long the owner works before it is stopped @throws {AssertionError} a promise is broken */
export async function stopOwner(workMs: number, jobs: 'threads' | 'inline'): Promise<StoppedReport> {
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'varve-stopped-'))
  const child = spawn(process.execPath, [WRITER, directory, jobs], { stdio: ['ignore', 'pipe', 'pipe'] })
  const output = collect(child)
  try {
    while (!output.text.startsWith('open\n')) await Promise.race([once(output.stream, 'data'), output.closed])
    await sleep(workMs)
    child.kill('SIGSTOP')
    await untilStopped(child.pid as number)
    const said = acknowledgedIn(output.text)
    await takeOver(directory, said, 0)
    child.kill('SIGCONT')
    // Both at work: late writes of the one, flushes and compactions of the other.
    await takeOver(directory, said, BATCHES)
    await output.closed
    assert.equal(output.errors(), '', 'the owner that was stopped failed by itself')
    const lines = output.text.trimEnd().split('\n')
    assert.equal(lines.at(-1), 'done', 'a call of the owner that was stopped never settled')
    const refused = lines.filter((line) => line.startsWith('refused '))
    assert.deepEqual(
      [...new Set(refused)],
      ['refused FENCED'],
      'an owner that was replaced is told so, and nothing else',
    )
    const first = lines.indexOf('refused FENCED')
    const late = lines.slice(first + 4).filter((line) => line.startsWith('ack '))
    assert.deepEqual(late, [], 'an owner that was replaced was acknowledged')
    const acknowledged = acknowledgedIn(output.text)
    await check(directory, acknowledged, 2 * BATCHES)
    return { acknowledged, refused: refused.length }
  } finally {
    child.kill('SIGKILL')
    await output.closed
    fs.rmSync(directory, { recursive: true, force: true })
  }
}

/** Opens the shard under a new epoch, without the lock, and writes. @param from number of its first batch */
async function takeOver(directory: string, acknowledged: number, from: number): Promise<void> {
  const [device, hash, clock, random] = [
    new NodeDevice(directory),
    await loadHash(),
    new SystemClock(),
    new SystemRandom(),
  ]
  const files = await LocalFileStore.open({ device, directory: 'files', hash })
  const heads = await LocalHeadStore.open({ device, directory: 'heads', hash, random })
  const journal = new LocalJournalSystem({ device, directory: 'journal', hash, random })
  const handlers = new HandlerTable({ 'varve/kv/jobs': kvJobs })
  const jobs = new InlineScheduler({ files, hash, clock, handlers })
  const close = async (): Promise<void> => {
    await jobs.close()
    await files.close()
  }
  const components = { shard: shardId('main'), files, heads, journal, jobs, clock, random, hash, close }
  const db = await openWhenQuiet(() => openKv(components, { settings: SETTINGS }))
  await checkFormer(db, acknowledged)
  for (let number = from; number < from + BATCHES; number += 10) {
    const batches = Array.from({ length: 10 }, (_, step) =>
      db.put(keyOf(SUCCESSOR, number + step), valueOf(number + step), { durability: 'synced' }),
    )
    await Promise.all(batches)
  }
  await db.flush()
  await db.compactRange()
  await db.close()
}

/** Whoever goes on may still commit once: then one is told to try again. */
async function openWhenQuiet(attempt: () => Promise<KvShard>): Promise<KvShard> {
  for (let attempts = 0; ; attempts++) {
    try {
      return await attempt()
    } catch (error) {
      if (!isCode(error, 'FENCED', 'HEAD_CONFLICT') || attempts === 10) throw error
    }
  }
}

/** Everything acknowledged by either is there, batches are whole, and every table can be read. */
async function check(directory: string, acknowledged: number, successors: number): Promise<void> {
  const db = await open(directory, { settings: SETTINGS, jobs: 'inline' })
  try {
    await checkFormer(db, acknowledged)
    for (let number = 0; number < successors; number++) {
      assert.deepEqual(
        await db.get(keyOf(SUCCESSOR, number)),
        valueOf(number),
        `write ${number} of the successor is lost`,
      )
    }
    for await (const { damage } of db.verify()) assert.equal(damage, undefined)
  } finally {
    await db.close()
  }
}

async function checkFormer(db: KvShard, acknowledged: number): Promise<void> {
  const counts: number[] = []
  for (const family of [LEFT, RIGHT]) {
    let count = 0
    for await (const { key, value } of db.scan({ prefix: Buffer.from(family) })) {
      count++
      assert.deepEqual(key, keyOf(family, count), `a hole before batch ${count}`)
      assert.deepEqual(value, valueOf(count))
    }
    counts.push(count)
  }
  assert.equal(counts[0], counts[1], 'a batch is half there')
  assert.ok((counts[0] as number) >= acknowledged, `batch ${acknowledged} was acknowledged, the last is ${counts[0]}`)
}

interface Output {
  readonly text: string
  readonly stream: NodeJS.EventEmitter
  readonly closed: Promise<unknown>
  errors(): string
}

function collect(child: ChildProcess): Output {
  let errors = ''
  const output = {
    text: '',
    stream: child.stdout as NodeJS.EventEmitter,
    closed: once(child, 'close'),
    errors: () => errors,
  }
  child.stdout?.setEncoding('utf8').on('data', (text: string) => (output.text += text))
  child.stderr?.setEncoding('utf8').on('data', (text: string) => (errors += text))
  return output
}

function acknowledgedIn(text: string): number {
  return Math.max(0, ...[...text.matchAll(/^ack ([0-9]+)$/gm)].map((match) => Number(match[1])))
}

/** SIGSTOP is sent before it has stopped anybody. */
async function untilStopped(pid: number): Promise<void> {
  for (let looks = 0; looks < 1000; looks++) {
    const states = fs
      .readdirSync(`/proc/${pid}/task`)
      .map((task) => /\) ([A-Z])/.exec(fs.readFileSync(`/proc/${pid}/task/${task}/stat`, 'utf8'))?.[1])
    if (states.every((state) => state === 'T')) break
    await sleep(5)
  }
  // What it had said is in the pipe.
  await sleep(20)
}
