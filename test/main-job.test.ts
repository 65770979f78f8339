/** The main job on a small tree, in processes of its own; and that it says no when a byte is wrong. */

import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  realpathSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after, before, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { KV_LIMITS } from '../src/engines/kv/limits.ts'
import { open } from '../src/local.ts'

const MAIN = fileURLToPath(new URL('../src/cli/main.js', import.meta.url))
const BIG_BYTES = 3 * 1024 * 1024
const BIG = 'big file.bin'
const DEEP = `${Array.from({ length: 30 }, (_, depth) => `level ${depth}`).join('/')}/bottom.txt`

let folder = ''
let input = ''
/** A shard that a whole demo has left behind: tests copy it. */
let kept = ''
let demo: Outcome

interface Outcome {
  readonly code: number | null
  readonly text: string
}

function varve(...words: string[]): Outcome {
  const temporary = join(folder, 'temporary')
  mkdirSync(temporary, { recursive: true })
  const child = spawnSync(process.execPath, [MAIN, ...words], {
    encoding: 'utf8',
    env: { ...process.env, TMPDIR: temporary, VARVE_DEBUG: '' },
  })
  return { code: child.status, text: `${child.stdout}${child.stderr}` }
}

/** Bytes that do not compress: a xorshift generator. */
function noise(length: number): Uint8Array {
  const words = new Uint32Array(length / 4)
  let state = 88675123
  for (let index = 0; index < words.length; index++) {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    words[index] = state
  }
  return new Uint8Array(words.buffer)
}

function writeTree(root: string): void {
  const write = (path: string, content: string | Uint8Array): void => {
    mkdirSync(dirname(join(root, path)), { recursive: true })
    writeFileSync(join(root, path), content)
  }
  write('empty', '')
  write('another folder/also empty', '')
  write(BIG, noise(BIG_BYTES))
  write('ünï cödé/日本語 名前.txt', 'names with unicode and spaces')
  write('emoji 🪨/e\u0301', 'a character outside the first plane, and one made of two')
  write(DEEP, 'far down')
  write('.hidden/.file', 'hidden')
  for (let index = 0; index < 150; index++)
    write(`many/${index % 7}/file ${index}.txt`, `content ${index}\n`.repeat(index))
  symlinkSync('empty', join(root, 'a link'))
}

function copyOfKept(name: string): string {
  const copy = join(folder, name)
  cpSync(kept, copy, { recursive: true })
  return copy
}

before(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'varve-main-job-')))
  input = join(folder, 'input')
  kept = join(folder, 'kept')
  writeTree(input)
  demo = varve('demo', '--input', input, '--data', kept)
})

after(() => rmSync(folder, { recursive: true, force: true }))

test('the main job ends with every comparison equal, prints its figures and draws the levels', () => {
  const { code, text } = demo
  assert.equal(code, 0, text)
  assert.match(text, /Result: every comparison equal: /)
  assert.match(text, /157 files, .* from /)
  assert.match(text, /1 symbolic link skipped/)
  for (const phase of [
    'ingest',
    'read back',
    'scan backward',
    'compare snapshot',
    'compact',
    'reopen',
    'verify tables',
  ]) {
    assert.match(text, new RegExp(`^ +${phase} +`, 'm'))
  }
  assert.match(text, /write amplification +\d/)
  assert.match(text, /space amplification +\d/)
  assert.match(text, /L1 +1 table, 2\.\d+ MB|L1 +1 table, 3\.\d+ MB/)
  assert.match(text, /┌─+┐/)
})

test('without --data the shard is in a temporary directory, which is gone afterwards', () => {
  const { code, text } = varve('demo', '--input', join(input, 'many'))
  assert.equal(code, 0, text)
  assert.deepEqual(readdirSync(join(folder, 'temporary')), [])
})

test('a file larger than a value may be is named, and how much larger it is', () => {
  const tree = join(folder, 'large')
  mkdirSync(tree)
  writeFileSync(join(tree, 'small.txt'), 'small')
  // Without a byte on the disk.
  writeFileSync(join(tree, 'large.bin'), '')
  truncateSync(join(tree, 'large.bin'), KV_LIMITS.valueBytesMax + 1)
  const { code, text } = varve('demo', '--input', tree)
  assert.equal(code, 0, text)
  assert.match(text, /large\.bin: has 268435457 bytes, 1 more than a value may have/)
})

test('what a run left behind is whole, and the commands that look at it say so', () => {
  const check = varve('demo', '--check-only', '--data', kept, '--input', input)
  assert.equal(check.code, 0, check.text)
  assert.match(check.text, /every comparison equal/)
  const verify = varve('verify', kept)
  assert.equal(verify.code, 0, verify.text)
  assert.match(verify.text, /everything is whole: 1 table/)
  const tree = varve('tree', kept, '--tables')
  assert.equal(tree.code, 0, tree.text)
  assert.match(tree.text, /L1 .*\.table .* f\/.* … m\//)
  const stats = varve('stats', kept, '--json')
  assert.equal(stats.code, 0, stats.text)
  assert.equal((JSON.parse(stats.text) as { files: number }).files, 1)
})

test('a byte flipped in a table is found, with the key that cannot be read, the file and the offset', () => {
  const data = copyOfKept('flipped')
  const [table = ''] = readdirSync(join(data, 'files')).filter((name) => name.endsWith('.table'))
  const path = join(data, 'files', table)
  const bytes = readFileSync(path)
  // The middle of the table is inside the one large value.
  const at = bytes.length >> 1
  bytes[at] = (bytes[at] as number) ^ 1
  writeFileSync(path, bytes)

  const check = varve('demo', '--check-only', '--data', data, '--input', input)
  assert.equal(check.code, 1, check.text)
  const found = new RegExp(`f/${BIG} cannot be read: TABLE_CORRUPT: .*${table}:(\\d+)`).exec(check.text)
  assert.ok(found !== null, check.text)
  const offset = Number(found[1])
  assert.ok(offset <= at && at < offset + BIG_BYTES + 1024, `${offset} is not the block that holds ${at}`)
  assert.doesNotMatch(check.text, /f\/many.* cannot be read/)

  const verify = varve('verify', data)
  assert.equal(verify.code, 1, verify.text)
  assert.match(verify.text, new RegExp(`DAMAGED: table ${table} .*TABLE_CORRUPT.*${table}:${offset}`))
})

test('a file whose content changed while size and time stayed is found, with its key and the offset', () => {
  const tree = join(folder, 'changed input')
  cpSync(input, tree, { recursive: true, preserveTimestamps: true })
  const path = join(tree, BIG)
  const { atime, mtime, size } = statSync(path)
  const bytes = readFileSync(path)
  bytes[1_234_567] = (bytes[1_234_567] as number) ^ 0x80
  writeFileSync(path, bytes)
  utimesSync(path, atime, mtime)
  assert.equal(statSync(path).size, size)
  const check = varve('demo', '--check-only', '--data', copyOfKept('for changed'), '--input', tree)
  assert.equal(check.code, 1, check.text)
  assert.match(
    check.text,
    new RegExp(`f/${BIG} differs from the file at byte 1234567: the shard has what was ingested`),
  )
  assert.match(check.text, /Result: 1 difference;/)
})

test('a file that changed and shows it, or is gone, is reported and is no difference', () => {
  const tree = join(folder, 'newer input')
  cpSync(input, tree, { recursive: true, preserveTimestamps: true })
  writeFileSync(join(tree, BIG), 'shorter')
  rmSync(join(tree, 'many/1/file 1.txt'))
  const check = varve('demo', '--check-only', '--data', copyOfKept('for newer'), '--input', tree)
  assert.equal(check.code, 0, check.text)
  assert.match(check.text, new RegExp(`changed since it was ingested: ${BIG}`))
  assert.match(check.text, /every comparison equal: .* 2 files changed on disk and compared by checksum/)
})

test('a value that is wrong, a key that is missing and one that is back are each found by name', async () => {
  const data = copyOfKept('tampered')
  const shard = await open(data)
  const wrong = Buffer.from(`f/${DEEP}`)
  const value = await shard.get(wrong)
  assert.ok(value !== undefined, 'the test needs a key that has not been deleted')
  value[3] = (value[3] as number) ^ 1
  await shard.put(wrong, value)
  const missing = Buffer.from(`m/${BIG}`)
  assert.ok(await shard.has(missing))
  await shard.delete(missing)
  // The first path in order is the first that has been deleted.
  const back = Buffer.from('f/.hidden/.file')
  assert.equal(await shard.has(back), false)
  await shard.put(back, Buffer.from('hidden'))
  await shard.close()

  const check = varve('demo', '--check-only', '--data', data, '--input', input)
  assert.equal(check.code, 1, check.text)
  assert.match(check.text, /f\/level 0\/.*bottom\.txt differs from the file at byte 3: the shard no longer has/)
  assert.match(check.text, new RegExp(`m/${BIG} is missing`))
  assert.match(check.text, /f\/\.hidden\/\.file has been deleted and is still there, 6 bytes/)
  assert.match(check.text, /scan of f\/ forward: f\/\.hidden\/\.file comes where/)
})

test('a directory that has a shard already is refused, and left as it was', () => {
  const again = varve('demo', '--input', input, '--data', kept)
  assert.equal(again.code, 1, again.text)
  assert.match(again.text, /EXISTS/)
  assert.equal(varve('verify', kept).code, 0)
})

test('Ctrl-C stops the job, with its own exit code and nothing left behind', async () => {
  const temporary = join(folder, 'interrupted')
  mkdirSync(temporary)
  const child = spawn(process.execPath, [MAIN, 'demo', '--input', input], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, TMPDIR: temporary },
  })
  let text = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8')
    stream.on('data', (chunk: string) => {
      text += chunk
    })
  }
  // The listing is done: the shard is being opened or written.
  child.stderr.once('data', () => child.kill('SIGINT'))
  const code = await new Promise((resolve) => child.once('close', resolve))
  assert.equal(code, 130, text)
  assert.match(text, /varve: stopped/)
  assert.deepEqual(readdirSync(temporary), [])
  assert.ok(existsSync(join(input, BIG)))
})
