/** Damage on a real directory: whatever happens to a byte or a file, a typed error or the right answer, never another. */

import assert from 'node:assert/strict'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { test } from 'node:test'
import { VarveError } from '../src/kernel/errors.ts'
import type { KvShard } from '../src/engines/kv/kv-shard.ts'
import { open } from '../src/local.ts'
import { SeededRandom } from '../src/testing/seeded-random.ts'

const SETTINGS = {
  memtableBytes: 16_384,
  tableBytes: 8192,
  blockBytes: 512,
  level0Files: 3,
  levelBytesBase: 16_384,
  cacheBytes: 0,
}
const KEY_COUNT = 400
const SEED = 1

function keyOf(index: number): Uint8Array {
  return Buffer.from(`key/${String(index).padStart(5, '0')}`)
}

function valueOf(index: number): Uint8Array {
  return Buffer.from(`value ${index} `.repeat(1 + (index % 30)))
}

/**
 * A closed directory with several levels and a journal, written once. It had keys that were deleted by range since: where
 * a tombstone was lost, some are back.
 */
async function makeDirectory(): Promise<string> {
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'varve-damage-'))
  const db = await open(directory, { settings: SETTINGS, jobs: 'inline' })
  for (let index = 0; index < 100; index++) await db.put(Buffer.from(`late/${index}`), valueOf(index))
  for (let index = 0; index < KEY_COUNT; index++) {
    await db.put(keyOf(index), valueOf(index), { durability: index % 10 === 0 ? 'synced' : 'written' })
    // A table below and one above, whatever the journal still has.
    if (index === KEY_COUNT / 2) await db.compactRange()
    if (index === (KEY_COUNT * 3) / 4) await db.flush()
    if (index >= KEY_COUNT / 2 && index % 20 === 0)
      await db.deleteRange({ prefix: Buffer.from(`late/${(index % 200) / 20}`) })
  }
  await db.close()
  return directory
}

function copyOf(directory: string): string {
  const copy = fs.mkdtempSync(path.join(os.tmpdir(), 'varve-damage-'))
  fs.cpSync(directory, copy, { recursive: true })
  return copy
}

function filesOf(directory: string): string[] {
  return fs
    .readdirSync(directory, { recursive: true, encoding: 'utf8' })
    .filter((name) => fs.statSync(path.join(directory, name)).isFile())
    .sort()
}

/** Tables, the largest first: a small one may hold nothing but keys that a tombstone covers, and is then never asked for. */
function largestTables(directory: string): string[] {
  const sizeOf = (name: string): number => fs.statSync(path.join(directory, name)).size
  const tables = filesOf(directory).filter((name) => name.endsWith('.table'))
  return tables.sort((one, other) => sizeOf(other) - sizeOf(one))
}

interface Outcome {
  /** Codes of the errors met, with the file they name. */
  readonly errors: readonly VarveError[]
  readonly readable: number
}

/** Opens the directory and asks for every key, both ways. A wrong or missing value fails the test. */
async function readAll(directory: string, what: string): Promise<Outcome> {
  let db: KvShard
  try {
    db = await open(directory, { settings: SETTINGS, jobs: 'inline' })
  } catch (error) {
    return { errors: [typed(error, what)], readable: 0 }
  }
  const errors: VarveError[] = []
  let readable = 0
  try {
    for (let index = 0; index < KEY_COUNT; index++) {
      try {
        const found = index % 2 === 0 ? db.getSync(keyOf(index)) : await db.get(keyOf(index))
        assert.deepEqual(found, valueOf(index), `${what}: key ${index} has another value`)
        readable++
      } catch (error) {
        errors.push(typed(error, what))
      }
    }
    let last = -1
    try {
      for await (const { key, value } of db.scan()) {
        last++
        assert.deepEqual(key, keyOf(last), `${what}: a scan skipped ${last}`)
        assert.deepEqual(value, valueOf(last), `${what}: a scan gave ${last} another value`)
      }
      assert.equal(last, KEY_COUNT - 1, `${what}: a scan ended early`)
    } catch (error) {
      errors.push(typed(error, what))
    }
  } finally {
    await db.close().catch((error: unknown) => errors.push(typed(error, what)))
  }
  return { errors, readable }
}

function typed(error: unknown, what: string): VarveError {
  if (error instanceof VarveError) return error
  throw new Error(`${what}: ${String(error)}`, { cause: error })
}

test('a flipped bit anywhere gives an error that names the file, or the right answers', async (context) => {
  const random = new SeededRandom(SEED)
  const directory = await makeDirectory()
  try {
    const names = filesOf(directory)
    assert.ok(names.some((name) => name.endsWith('.table')) && names.some((name) => name.endsWith('.log')))
    let detected = 0
    for (const name of names) {
      for (let round = 0; round < 12; round++) {
        const copy = copyOf(directory)
        const file = path.join(copy, name)
        const bytes = fs.readFileSync(file)
        if (bytes.length === 0) break
        const at = random.below(bytes.length)
        const bit = random.below(8)
        bytes[at] = (bytes[at] as number) ^ (1 << bit)
        fs.writeFileSync(file, bytes)
        const { errors, readable } = await readAll(copy, `${name}, byte ${at}, bit ${bit}`)
        if (errors.length > 0) detected++
        for (const error of errors) {
          assert.match(
            error.code,
            /_CORRUPT$|^FILE_MISSING$|^INCOMPATIBLE$|^OUTCOME_UNKNOWN$|^NOT_FOUND$/,
            `${name}: ${error.message}`,
          )
          if (error.code.endsWith('_CORRUPT')) {
            assert.ok(String(error.details['file']).length > 0, `no file in ${error.message}`)
            assert.equal(typeof error.details['offset'], 'number', `no offset in ${error.message}`)
          }
        }
        // A table whose index is damaged is lost as a whole; otherwise only the damaged block is.
        const whole = errors.some((error) => error.details['part'] !== 'block')
        const least = name.endsWith('.table') ? (whole ? 1 : KEY_COUNT * 0.8) : 0
        assert.ok(readable >= least, `${name}, byte ${at}: only ${readable} other keys are readable`)
        fs.rmSync(copy, { recursive: true, force: true })
      }
    }
    context.diagnostic(`${names.length} files, ${detected} flips detected`)
    assert.ok(detected > names.length, 'hardly any flip was noticed: the test does not test')
  } finally {
    fs.rmSync(directory, { recursive: true, force: true })
  }
})

test('a missing, empty or cut table file is told, and the keys of other tables stay readable', async () => {
  const directory = await makeDirectory()
  try {
    const damages: readonly ((file: string) => void)[] = [
      (file) => fs.rmSync(file),
      (file) => fs.truncateSync(file, 0),
      (file) => fs.truncateSync(file, fs.statSync(file).size - 1),
    ]
    for (const name of largestTables(directory).slice(0, 2)) {
      for (const damage of damages) {
        const copy = copyOf(directory)
        damage(path.join(copy, name))
        const { errors, readable } = await readAll(copy, name)
        assert.ok(errors.length > 0 && readable > 0)
        for (const error of errors) {
          assert.equal(error.code, 'FILE_MISSING')
          assert.equal(error.details['file'], path.basename(name))
        }
        fs.rmSync(copy, { recursive: true, force: true })
      }
    }
  } finally {
    fs.rmSync(directory, { recursive: true, force: true })
  }
})

test('two table files that change places are noticed', async () => {
  const directory = await makeDirectory()
  try {
    const [one, other] = largestTables(directory)
    assert.ok(one !== undefined && other !== undefined)
    const [left, right, aside] = [path.join(directory, one), path.join(directory, other), path.join(directory, 'aside')]
    fs.renameSync(left, aside)
    fs.renameSync(right, left)
    fs.renameSync(aside, right)
    const { errors, readable } = await readAll(directory, 'swapped')
    assert.ok(errors.length > 0)
    assert.ok(errors.every((error) => ['TABLE_CORRUPT', 'FILE_MISSING'].includes(error.code)))
    assert.ok(readable > 0)
  } finally {
    fs.rmSync(directory, { recursive: true, force: true })
  }
})

test('an older head put back is refused or leads to no wrong answer', async () => {
  const directory = await makeDirectory()
  try {
    const heads = path.join(directory, 'heads')
    const versions = fs.readdirSync(heads).sort()
    assert.equal(versions.length, 2)
    fs.copyFileSync(path.join(heads, versions[0] as string), path.join(heads, versions[1] as string))
    const { errors } = await readAll(directory, 'older head')
    assert.equal(errors[0]?.code, 'HEAD_CORRUPT')
  } finally {
    fs.rmSync(directory, { recursive: true, force: true })
  }
})
