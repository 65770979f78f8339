/** What is left of a damaged database goes into a new one; what is not is named; the damaged one is only read. */

import assert from 'node:assert/strict'
import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { after, test } from 'node:test'
import { setTimeout } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { isCode } from '../src/kernel/errors.ts'
import { repair } from '../src/local-repair.ts'
import type { RepairReport } from '../src/local-repair.ts'
import { makeWhole } from '../src/local-unfinished.ts'
import { open } from '../src/local.ts'

const SETTINGS = { memtableBytes: 16_384, tableBytes: 8192, blockBytes: 512, level0Files: 3, levelBytesBase: 16_384 }
const COMMAND = fileURLToPath(new URL('../src/cli/main.js', import.meta.url))

type Content = Map<string, string>

const scratch = fs.mkdtempSync(path.join(os.tmpdir(), 'varve-repair-'))
after(() => fs.rmSync(scratch, { recursive: true, force: true }))

function temporary(): string {
  return fs.mkdtempSync(path.join(scratch, 'd-'))
}

/** A closed database: tables with deletions of keys and ranges, and a journal that is still needed. */
async function makeDatabase(settings = {}): Promise<{ readonly directory: string; readonly content: Content }> {
  const directory = temporary()
  const content: Content = new Map()
  const db = await open(directory, { settings: { ...SETTINGS, ...settings }, jobs: 'inline' })
  const put = async (key: string, value: string): Promise<void> => {
    await db.put(Buffer.from(key), Buffer.from(value))
    content.set(key, value)
  }
  for (let index = 0; index < 300; index++) await put(keyOf(index), `first ${index} `.repeat(5))
  await db.compactRange()
  for (let index = 0; index < 300; index += 3) await put(keyOf(index), `second ${index}`)
  for (let index = 1; index < 300; index += 10) {
    await db.delete(Buffer.from(keyOf(index)))
    content.delete(keyOf(index))
  }
  await db.deleteRange({ prefix: Buffer.from('key/001') })
  for (const key of content.keys()) if (key.startsWith('key/001')) content.delete(key)
  await db.flush()
  for (let index = 100; index < 120; index++) await put(keyOf(index), `third ${index}`)
  await db.sync()
  await db.close()
  return { directory, content }
}

function keyOf(index: number): string {
  return `key/${String(index).padStart(4, '0')}`
}

async function contentOf(directory: string): Promise<Content> {
  const db = await open(directory, { readOnly: true, jobs: 'inline' })
  const content: Content = new Map()
  for await (const { key, value } of db.scan()) content.set(Buffer.from(key).toString(), Buffer.from(value).toString())
  await db.close()
  return content
}

function filesOf(directory: string): Map<string, string> {
  const names = fs.readdirSync(directory, { recursive: true, encoding: 'utf8' }).sort()
  const files = names.filter((name) => fs.statSync(path.join(directory, name)).isFile())
  return new Map(files.map((name) => [name, fs.readFileSync(path.join(directory, name), 'latin1')]))
}

function flip(file: string, at: number): void {
  const bytes = fs.readFileSync(file)
  bytes[at] = (bytes[at] as number) ^ 0x10
  fs.writeFileSync(file, bytes)
}

/** Damages a copy, repairs it, and checks that it was not touched. */
async function repaired(
  directory: string,
  damage: (copy: string, names: readonly string[]) => void,
): Promise<{ readonly report: RepairReport; readonly content: Content }> {
  const [copy, target] = [temporary(), path.join(temporary(), 'new')]
  try {
    fs.cpSync(directory, copy, { recursive: true })
    damage(copy, [...filesOf(copy).keys()])
    const before = filesOf(copy)
    const report = await repair(copy, target)
    assert.deepEqual(filesOf(copy), before, 'the damaged one was changed')
    const content = await contentOf(target)
    assert.equal(content.size, report.entries)
    return { report, content }
  } finally {
    fs.rmSync(copy, { recursive: true, force: true })
    fs.rmSync(path.dirname(target), { recursive: true, force: true })
  }
}

const only = (names: readonly string[], pattern: RegExp): readonly string[] =>
  names.filter((name) => pattern.test(name))

test('a whole database is repaired into the same one', async () => {
  // Key columns are files, too: they were taken for tables, and reported as lost.
  const { directory, content } = await makeDatabase({ keyColumns: true })
  assert.ok([...filesOf(directory).keys()].some((name) => name.endsWith('.keys')))
  const { report, content: found } = await repaired(directory, () => undefined)
  assert.deepEqual(report.losses, [])
  assert.ok(report.headFound)
  assert.deepEqual(
    [...found],
    [...content].sort(([a], [b]) => (a < b ? -1 : 1)),
  )
})

test('of a damaged or missing table every other key is saved, and the range of what is lost is named', async () => {
  const { directory, content } = await makeDatabase()
  const tables = only([...filesOf(directory).keys()], /\.table$/)
  assert.ok(tables.length > 1)
  for (const table of tables) {
    for (const damage of ['block', 'gone', 'cut'] as const) {
      const { report, content: found } = await repaired(directory, (copy) => {
        const file = path.join(copy, table)
        if (damage === 'block') flip(file, 40)
        else if (damage === 'gone') fs.rmSync(file)
        else fs.truncateSync(file, fs.statSync(file).size - 1)
      })
      assert.ok(report.losses.length > 0, `${table}: ${damage}`)
      assert.ok(report.losses.every((loss) => loss.file === table))
      const isLost = (key: string): boolean =>
        report.losses.some(({ keyFirst, keyLast }) => {
          const bytes = Buffer.from(key)
          return (
            keyFirst === undefined ||
            keyLast === undefined ||
            (Buffer.compare(keyFirst, bytes) <= 0 && Buffer.compare(bytes, keyLast) <= 0)
          )
        })
      for (const [key, value] of content) {
        if (!isLost(key)) assert.equal(found.get(key), value, `${table}: ${damage}: ${key} is outside of what is lost`)
      }
      if (damage === 'block') assert.ok(found.size > content.size * 0.8, 'one block has few of the keys')
    }
  }
})

test('writes that the journal lost are told, and those before and after them are saved', async () => {
  const { directory, content } = await makeDatabase()
  const segment = only([...filesOf(directory).keys()], /\.log$/).at(-1) as string
  const bytes = fs.readFileSync(path.join(directory, segment))
  const at = bytes.indexOf('third 110')
  assert.ok(at > 0)
  const flipped = await repaired(directory, (copy) => flip(path.join(copy, segment), at))
  assert.ok(flipped.report.losses.length > 0 && flipped.report.losses.every(({ file }) => file.endsWith('.log')))
  assert.equal(flipped.content.get(keyOf(109)), content.get(keyOf(109)))
  assert.equal(flipped.content.get(keyOf(111)), content.get(keyOf(111)))
  assert.notEqual(flipped.content.get(keyOf(110)), content.get(keyOf(110)))
  const gone = await repaired(directory, (copy) => fs.rmSync(path.join(copy, segment)))
  assert.ok(gone.report.losses.some(({ reason }) => reason.includes('missing at the end')))
  assert.equal(gone.content.get(keyOf(200)), content.get(keyOf(200)))
})

test('without its newest head, or any, a database is repaired, and is said to be so', async () => {
  const { directory, content } = await makeDatabase()
  const newest = await repaired(directory, (copy, names) =>
    flip(path.join(copy, only(names, /head-/).at(-1) as string), 60),
  )
  assert.ok(newest.report.headFound)
  assert.ok(newest.report.losses.some(({ file }) => file.startsWith('heads/')))
  const none = await repaired(directory, (copy, names) => {
    for (const name of only(names, /head-/)) flip(path.join(copy, name), 60)
  })
  assert.ok(!none.report.headFound)
  for (const [key, value] of content) assert.equal(none.content.get(key), value, key)
  const again = await open(directory, { jobs: 'inline' })
  await again.put(Buffer.from('new'), Buffer.from('of an owner that the head before does not know'))
  await again.close()
  const before = await repaired(directory, (copy, names) =>
    flip(path.join(copy, only(names, /head-/).at(-1) as string), 60),
  )
  assert.ok(before.content.has('new'))
})

test('repair refuses what is open, what is not there, and a place that is taken', async () => {
  const { directory } = await makeDatabase()
  const target = path.join(temporary(), 'new')
  await assert.rejects(repair(path.join(directory, 'nothing'), target), (error) => isCode(error, 'NOT_FOUND'))
  await assert.rejects(repair(directory, directory), (error) => isCode(error, 'EXISTS'))
  const db = await open(directory)
  await assert.rejects(repair(directory, target), (error) => isCode(error, 'LOCKED'))
  await db.close()
})

/** Takes some time to be repaired. */
async function makeLarge(): Promise<{ readonly directory: string; readonly keys: number }> {
  const directory = temporary()
  const db = await open(directory, { jobs: 'inline' })
  const keys = 4000
  for (let index = 0; index < keys; index++) void db.put(Buffer.from(keyOf(index)), Buffer.alloc(1000, index))
  await db.close()
  return { directory, keys }
}

// The new directory opened with the part that was there.
test('a repair that is killed leaves no database that has only a part of what was saved', async () => {
  const { directory, keys } = await makeLarge()
  const found = { killed: 0, whole: 0 }
  for (let round = 0; found.whole === 0 || round < 8; round++) {
    const target = path.join(temporary(), 'new')
    const child = spawn(process.execPath, [COMMAND, 'repair', directory, target], { stdio: 'ignore' })
    const ended = once(child, 'exit')
    // From its beginning until it ends by itself, so that some are in its midst on any machine.
    while (!fs.existsSync(path.join(target, 'unfinished')) && child.exitCode === null) await setTimeout(1)
    const timer = globalThis.setTimeout(() => child.kill('SIGKILL'), 4 * 2 ** round)
    await ended
    clearTimeout(timer)
    if (fs.existsSync(path.join(target, 'heads'))) {
      assert.equal((await contentOf(target)).size, keys)
      found.whole++
    } else {
      await assert.rejects(repair(directory, target), {
        code: 'EXISTS',
        message: /did not end, in unfinished: remove it/,
      })
      found.killed++
    }
    fs.rmSync(path.dirname(target), { recursive: true, force: true })
  }
  assert.ok(found.killed > 0, JSON.stringify(found))
})

test('where making a database fails, nothing is in its place, and it can be made again', async () => {
  const directory = path.join(temporary(), 'new')
  const make = async (unfinished: string, failure?: Error): Promise<number> => {
    const db = await open(unfinished, { jobs: 'inline' })
    await db.put(Buffer.from('key'), Buffer.from('value'))
    await db.flush()
    await db.close()
    if (failure !== undefined) throw failure
    return 7
  }
  const failure = new Error('after a part')
  await assert.rejects(
    makeWhole(directory, (unfinished) => make(unfinished, failure)),
    failure,
  )
  assert.ok(!fs.existsSync(directory))
  assert.equal(await makeWhole(directory, make), 7)
  assert.deepEqual(await contentOf(directory), new Map([['key', 'value']]))
  assert.ok(!fs.existsSync(path.join(directory, 'unfinished')))
  await assert.rejects(makeWhole(directory, make), { code: 'EXISTS', message: /is not empty/ })
  fs.rmSync(path.dirname(directory), { recursive: true, force: true })
})

// The error of every other call sends to repair.
// It said that nothing was lost, of a database whose keys others had by then, and whose newest writes only they had.
test('shards beside the one that is saved, which took its place or are its clones, are named as not saved', async () => {
  for (const arrange of ['clone', 'split'] as const) {
    const { directory } = await makeDatabase()
    const db = await open(directory, { jobs: 'inline' })
    await (arrange === 'clone' ? db.clone('left') : db.split(Buffer.from(keyOf(150)), 'left', 'right'))
    await db.close()
    const { losses } = await repair(directory, path.join(temporary(), 'new'))
    const expected = arrange === 'clone' ? ['left'] : ['left', 'right']
    assert.deepEqual(
      losses.map(({ reason }) => reason),
      expected.map((shard) => `shard ${shard} is not saved: only main is`),
    )
    assert.match(String(losses[0]?.file), /^heads\/left\.head-\d+$/)
  }
})

test('a database with something else in the place of its lock can be repaired', async () => {
  const { directory, content } = await makeDatabase()
  const target = path.join(temporary(), 'saved')
  fs.mkdirSync(path.join(directory, 'lock'))
  await assert.rejects(open(directory), { code: 'PERMISSION_DENIED', message: /there is a directory in its place/ })
  assert.deepEqual((await repair(directory, target)).losses, [])
  assert.deepEqual(await contentOf(target), content)
  fs.rmSync(directory, { recursive: true, force: true })
  fs.rmSync(path.dirname(target), { recursive: true, force: true })
})

test('varve repair names what is lost and exits with 1, and with 0 where nothing is', async () => {
  const { directory } = await makeDatabase()
  const parent = temporary()
  const output = execFileSync(process.execPath, [COMMAND, 'repair', directory, path.join(parent, 'whole')])
  assert.match(output.toString(), /^Result: nothing was lost: \d+ entries in /m)
  const table = only([...filesOf(directory).keys()], /\.table$/)[0] as string
  flip(path.join(directory, table), 40)
  const { status, stdout } = spawnSync(process.execPath, [COMMAND, 'repair', directory, path.join(parent, 'damaged')])
  assert.equal(status, 1)
  assert.match(stdout.toString(), /^LOST: files\/main\..*\.table: .*; keys from key\/\d+ to key\/\d+$/m)
})
