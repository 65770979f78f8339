/** compact and dump, each in a process of its own, on whole and on damaged directories. */

import assert from 'node:assert/strict'
import { cpSync, readFileSync, readdirSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { test } from 'node:test'
import { LocalHeadStore } from '../../src/fs/local-head-store.ts'
import { NodeDevice } from '../../src/fs/node-device.ts'
import { loadHash } from '../../src/kernel/hash.ts'
import { shardId } from '../../src/kernel/ids.ts'
import { open } from '../../src/local.ts'
import { decodeHead, encodeHead } from '../../src/shard/head-content.ts'
import type { Succession } from '../../src/shard/head-content.ts'
import { SeededRandom } from '../../src/testing/seeded-random.ts'
import { Workplace } from './varve-process.ts'
import type { Outcome } from './varve-process.ts'

function assertOk(outcome: Outcome): void {
  assert.equal(outcome.code, 0, outcome.errors)
}

/** Two tables, and three operations that are only in the journal. */
async function make(directory: string): Promise<void> {
  const shard = await open(directory, { jobs: 'inline' })
  for (const round of ['first', 'second']) {
    const keys = Array.from({ length: 2000 }, (_, index) => `key ${String(index).padStart(6, '0')}`)
    await shard.batch(
      keys.map((key) => ({ type: 'put', key: Buffer.from(key), value: Buffer.from(`${round} of ${key}`) })),
    )
    await shard.flush()
  }
  await shard.put(Buffer.from('in the journal'), Buffer.from('only'))
  await shard.delete(Buffer.from('key 000000'))
  await shard.put(Buffer.from([0, 255]), Buffer.alloc(100))
  await shard.close()
}

function change(path: string, at: number): void {
  const content = readFileSync(path)
  const place = at < 0 ? content.length + at : at
  content[place] = (content[place] ?? 0) ^ 0xff
  writeFileSync(path, content)
}

test('compact leaves one version of every key in one level, and every value as it was', async (context) => {
  const place = new Workplace(context)
  await make(place.in('data'))
  const before = await place.varve(['export', 'data'])
  const compacted = await place.varve(['compact', 'data'])
  assertOk(compacted)
  assert.match(compacted.text, /all +1 +2,001 /)
  assert.match(compacted.text, /Tables had .*, now .*; it took/)
  assert.deepEqual((await place.varve(['export', 'data'])).out, before.out)
})

test('dump shows head, journal and tables of a whole directory, and exits with 0', async (context) => {
  const place = new Workplace(context)
  await make(place.in('data'))
  const [head, journal, tables] = await Promise.all(
    ['head', 'journal', 'tables'].map((what) => place.varve(['dump', 'data', what])),
  )
  assert.ok(head && journal && tables)
  for (const outcome of [head, journal, tables]) assertOk(outcome)
  assert.match(head.text, /^ {2}epoch +1\n/m)
  assert.match(head.text, /^ {2}engine +kv, version \d+\n/m)
  assert.match(
    head.text,
    /edit 2 of 2 in the head: the journal is needed from position \d+, files have up to seqno 4000\n {4}\+ main\..*2,000 entries, 0 deletions  key 000000 … key 001999/,
  )
  assert.match(journal.text, /4001  at \d+  put  in the journal  4 bytes\n/)
  assert.match(journal.text, /4002  at \d+  delete  key 000000\n/)
  assert.match(journal.text, /4003  at \d+  put  0x00ff  100 bytes\n/)
  const names = [...tables.text.matchAll(/^level \d+ {2}(\S+\.table) /gm)].map(([, name]) => name ?? '')
  assert.equal(names.length, 2)
  const table = await place.varve(['dump', 'data', 'table', names[0] ?? ''])
  assertOk(table)
  assert.match(table.text, /entryCount +2000\n/)
  assert.match(table.text, /index: \d+ blocks, /)
  assert.doesNotMatch(table.text, /first of|second of/)
  const entries = await place.varve(['dump', 'data', 'table', names[0] ?? '', '--entries'])
  assert.equal([...entries.text.matchAll(/^ {4}key \d{6}  \d+  put  \d+ bytes  /gm)].length, 2000)
})

test('dump shows damage in its place, goes on behind it, and exits with 1', async (context) => {
  const place = new Workplace(context)
  await make(place.in('whole'))
  const damaged = (name: string): string => {
    cpSync(place.in('whole'), place.in(name), { recursive: true })
    return place.in(name)
  }
  const files = (folder: string, pattern: RegExp): string[] =>
    readdirSync(place.in('whole', folder))
      .filter((name) => pattern.test(name))
      .sort()
  const [table = '', other = ''] = files('files', /\.table$/)
  const [segment = ''] = files('journal/main', /\.log$/)
  const newest = files('heads', /^main\.head-/).at(-1) ?? ''

  change(`${damaged('block')}/files/${table}`, 100)
  const block = await place.varve(['dump', 'block', 'table', table, '--entries'])
  assert.equal(block.code, 1)
  assert.match(
    block.text,
    new RegExp(`block 0 at 0: .*\\n {4}!! TABLE_CORRUPT: block at ${table}:0 is damaged: .*\\n {2}block 1 at`),
  )
  assert.match(block.text, /key 001999  \d+  put/)
  assert.match(block.errors, /1 damaged place, marked with !!/)

  change(`${damaged('properties')}/files/${table}`, -140)
  const properties = await place.varve(['dump', 'properties', 'table', table])
  assert.equal(properties.code, 1)
  assert.match(properties.text, /!! TABLE_CORRUPT: properties at/)
  assert.match(properties.text, /index: \d+ blocks/)

  truncateSync(`${damaged('cut')}/files/${table}`, 1000)
  rmSync(`${place.in('cut')}/files/${other}`)
  const cut = await place.varve(['dump', 'cut', 'tables'])
  assert.equal(cut.code, 1)
  assert.match(cut.text, /!! the file has 1,000 bytes/)
  assert.match(cut.text, /!! the file is missing/)
  const gone = await place.varve(['dump', 'cut', 'table', table])
  assert.equal(gone.code, 1)
  assert.match(gone.text, /!! the file has 1,000 bytes\n {2}!! TABLE_CORRUPT: footer/)

  change(`${damaged('journal')}/journal/main/${segment}`, 120)
  const journal = await place.varve(['dump', 'journal', 'journal'])
  assert.equal(journal.code, 1)
  assert.match(journal.text, /!! /)
  assert.match(journal.text, /4003  at \d+  put  0x00ff/)

  change(`${damaged('head')}/heads/${newest}`, 40)
  const head = await place.varve(['dump', 'head', 'head'])
  assert.equal(head.code, 1)
  assert.match(head.text, /!! HEAD_CORRUPT: .*\nhead main\.head-\d+, \d+ bytes\n {2}epoch/)
  const verified = await place.varve(['verify', 'head'])
  assert.equal(verified.code, 1)
  assert.match(verified.errors, /HEAD_CORRUPT/)
})

test('dump shows shards that take the place of others: sealed, forming, there and given up, and what they see of a table', async (context) => {
  const place = new Workplace(context)
  await make(place.in('data'))
  const shard = await open(place.in('data'), { jobs: 'inline' })
  await shard.split(Buffer.from('key 001000'), 'left', 'right')
  await shard.close()
  const dump = async (): Promise<string> => {
    const outcome = await place.varve(['dump', 'data', 'head'])
    assertOk(outcome)
    return outcome.text
  }
  const committed = await dump()
  assert.match(committed, /succession +sealed: replaced by left, right; led by left, which is there: superseded\n/)
  assert.match(committed, /^head left\.head-\d+/m)
  assert.match(committed, /seen from the beginning to before key 001000\n/)
  assert.match(committed, /seen from before key 001000 to the end\n/)
  assert.match(committed, /succession +forming: comes of main; led by left, which is there: the shard is there\n/)
  assert.doesNotMatch(committed, /to be decided|given up|goes on/)

  await succeed(place.in('data'), { state: 'forming', lead: shardId('left'), parents: [shardId('main')] })
  const forming = await dump()
  assert.match(forming, /sealed: replaced by left, right; led by left, which is forming: to be decided\n/)
  assert.match(forming, /forming: comes of main; leads the change: not yet a shard\n/)
  assert.match(forming, /forming: comes of main; led by left, which is forming: not yet a shard\n/)

  await succeed(place.in('data'), { state: 'void' })
  const given = await dump()
  assert.match(given, /sealed: replaced by left, right; led by left, which is void: goes on\n/)
  assert.match(given, /void: a change was given up, this shard will never be\n/)
  assert.match(given, /forming: comes of main; led by left, which is void: given up\n/)
})

/** Puts the lead of a change into another state, as a crash at another moment would have left it. */
async function succeed(directory: string, succession: Succession): Promise<void> {
  const device = new NodeDevice(directory)
  const heads = await LocalHeadStore.open({
    device,
    directory: 'heads',
    hash: await loadHash(),
    random: new SeededRandom(1),
  })
  const lead = shardId('left')
  const head = await heads.read(lead)
  assert.ok(head)
  const content = { ...decodeHead(head.content, 'left'), succession }
  await heads.compareAndSet(lead, head.version, encodeHead(content))
}

test('a damaged block costs the commands that read it an error with file and offset, and others nothing', async (context) => {
  const place = new Workplace(context)
  await make(place.in('data'))
  await place.varve(['compact', 'data'])
  const table = readdirSync(place.in('data/files')).find((name) => name.endsWith('.table')) ?? ''
  change(place.in('data/files', table), 100)
  const early = await place.varve(['get', 'data', 'key 000001'])
  assert.equal(early.code, 1)
  assert.match(early.errors, new RegExp(`TABLE_CORRUPT: block at ${table}:0 is damaged`))
  const late = await place.varve(['get', 'data', 'key 001999'])
  assertOk(late)
  assert.equal(late.text, 'second of key 001999')
  const exported = await place.varve(['export', 'data', 'out.jsonl'])
  assert.equal(exported.code, 1)
  assert.match(exported.errors, /TABLE_CORRUPT/)
  assert.deepEqual(readdirSync(place.path), ['data'])
})

test('dump shows the key columns that lie beside tables', async (context) => {
  const place = new Workplace(context)
  const shard = await open(place.in('data'), { jobs: 'inline', settings: { keyColumns: true } })
  await shard.put(Buffer.from('some key'), Buffer.from('twelve bytes'))
  await shard.delete(Buffer.from('other key'))
  await shard.flush()
  await shard.close()
  const tables = await place.varve(['dump', 'data', 'tables'])
  assertOk(tables)
  assert.match(tables.text, /\.keys  key-column 1 .* 2 entries of \S+\.table/)
  const column = await place.varve(['dump', 'data', 'table', '.keys', '--entries'])
  assertOk(column)
  assert.match(column.text, /entries +2\n[^]*other key {2}2 {2}delete\n +some key {2}1 {2}put {2}12 bytes/)
  const path = place.in(
    `data/files/${readdirSync(place.in('data/files')).find((name) => name.endsWith('.keys')) ?? ''}`,
  )
  change(path, 5)
  const damaged = await place.varve(['dump', 'data', 'table', '.keys'])
  assert.equal(damaged.code, 1)
  assert.match(damaged.text, /!! .*block at .*checksum does not match/)
  assert.equal((await place.varve(['verify', 'data'])).code, 1)
})

test('a database that is encrypted is told as such by every command, and repair saves nothing of it', async (context) => {
  const place = new Workplace(context)
  const encryption = { keys: [{ id: 'test', secret: new Uint8Array(32).fill(1) }] }
  const shard = await open(place.in('data'), { jobs: 'inline', encryption })
  await shard.put(Buffer.from('key'), Buffer.from('value'))
  await shard.close()
  for (const words of [
    ['get', 'data', 'key'],
    ['put', 'data', 'key', 'other'],
    ['delete', 'data', 'key'],
    ['scan', 'data'],
    ['export', 'data'],
    ['stats', 'data'],
    ['tree', 'data'],
    ['verify', 'data'],
    ['compact', 'data'],
    ['repair', 'data', 'saved'],
  ]) {
    const { code, errors } = await place.inProcess(words)
    assert.equal(code, 1, words.join(' '))
    assert.match(
      errors,
      /^varve: INCOMPATIBLE: .* is encrypted, and no keys were given.*\n.* its keys/,
      words.join(' '),
    )
  }
  for (const what of ['head', 'journal', 'tables']) {
    const { code, text } = await place.varve(['dump', 'data', what])
    assert.equal(code, 1, what)
    assert.match(text, /!! .* is encrypted, and no keys were given/, what)
  }
  assert.deepEqual(readdirSync(place.path), ['data'])
})

test('dump refuses what it does not know, and says what there is', async (context) => {
  const place = new Workplace(context)
  await make(place.in('data'))
  for (const [words, expected] of [
    [['dump', 'data'], /WHAT is missing/],
    [['dump', 'data', 'everything'], /WHAT is head, journal, tables, table, not 'everything'/],
    [['dump', 'data', 'table'], /NAME is missing: `varve dump DIR tables`/],
    [['dump', 'data', 'table', 'nope'], /there is no table 'nope'/],
    [['dump', 'data', 'table', '.table'], /'\.table' is part of several names/],
    [['dump', 'data', 'head', 'x'], /does not take 'x'/],
    [['dump', 'data', 'head', '--entries'], /--entries is for/],
  ] as const) {
    const { code, errors } = await (words.length === 2 ? place.varve(words) : place.inProcess(words))
    assert.equal(code, 2, words.join(' '))
    assert.match(errors, expected)
  }
})

test('dump shows the range tombstones of a table', async (context) => {
  const place = new Workplace(context)
  const shard = await open(place.in('data'), { jobs: 'inline' })
  await shard.put(Buffer.from('m'), Buffer.from('under'))
  await shard.flush()
  const snapshot = shard.snapshot()
  await shard.deleteRange({ gte: Buffer.from('k'), lt: Buffer.from('p') })
  await shard.put(Buffer.from('z'), Buffer.from('beside'))
  await shard.flush()
  snapshot.close()
  await shard.close()
  const [, name = ''] = readdirSync(place.in('data/files'))
    .filter((file) => !file.endsWith('.manifest'))
    .sort()
  const dumped = await place.varve(['dump', 'data', 'table', name])
  assertOk(dumped)
  assert.match(dumped.text, /from just before k to just before p/)
})
