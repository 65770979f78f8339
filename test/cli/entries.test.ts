/** get, put, delete and scan, each in a process of its own. */

import assert from 'node:assert/strict'
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { test } from 'node:test'
import { open } from '../../src/local.ts'
import { Workplace } from './varve-process.ts'
import type { Outcome } from './varve-process.ts'

const bytes = (text: string): Uint8Array => Buffer.from(text, 'latin1')

async function fill(directory: string, entries: readonly (readonly [key: string, value: string])[]): Promise<void> {
  const shard = await open(directory, { jobs: 'inline' })
  await shard.batch(entries.map(([key, value]) => ({ type: 'put', key: bytes(key), value: bytes(value) })))
  await shard.close()
}

function assertOk(outcome: Outcome): void {
  assert.equal(outcome.code, 0, outcome.errors)
}

test('what put has stored, get gives back byte for byte, however key and value were given', async (context) => {
  const place = new Workplace(context)
  const value = Buffer.from(Array.from({ length: 1000 }, (_, index) => index % 256))
  writeFileSync(place.in('value'), value)
  const made = await place.varve(['put', 'data', 'ünï', 'text'])
  assertOk(made)
  assert.match(made.errors, /made a new shard in data/)
  assertOk(await place.varve(['put', 'data', 'ff00', '0d0aff', '--hex']))
  assertOk(await place.varve(['put', 'data', 'piped'], value))
  assertOk(await place.varve(['put', 'data', 'filed', '--file', 'value']))
  assertOk(await place.varve(['put', 'data', '--', '--key', '-v']))
  const got = await Promise.all(
    [
      ['get', 'data', 'ünï'],
      ['get', 'data', '/wA=', '--base64'],
      ['get', 'data', 'piped'],
      ['get', 'data', 'filed'],
      ['get', 'data', '--', '--key'],
    ].map((words) => place.varve(words)),
  )
  const expected = [Buffer.from('text'), Buffer.from([0x0d, 0x0a, 0xff]), value, value, Buffer.from('-v')]
  for (const [index, outcome] of got.entries()) {
    assertOk(outcome)
    assert.deepEqual(outcome.out, expected[index])
  }
})

test('a key that is not there is told by exit code 1 and an empty output', async (context) => {
  const place = new Workplace(context)
  await fill(place.in('data'), [['a', '1']])
  const { code, out, errors } = await place.varve(['get', 'data', 'b'])
  assert.equal(code, 1)
  assert.equal(out.length, 0)
  assert.match(errors, /there is no key 'b' in data/)
})

test('delete removes its keys, and one that is not there is no error', async (context) => {
  const place = new Workplace(context)
  await fill(place.in('data'), [
    ['a', '1'],
    ['b', '2'],
    ['c', '3'],
  ])
  assertOk(await place.varve(['delete', 'data', 'a', 'c', 'nothing']))
  assert.equal((await place.varve(['scan', 'data'])).text, 'b\t2\n')
})

test('scan shows what its bounds leave, in order, as text, in hexadecimal or as lines of JSON', async (context) => {
  const place = new Workplace(context)
  await fill(place.in('data'), [
    ['a', '1'],
    ['b/1', 'one\ttwo\n'],
    ['b/2', '\xff'],
    ['c\n', '\\'],
    ['d', ''],
  ])
  const cases: readonly (readonly [words: readonly string[], expected: string])[] = [
    [[], 'a\t1\nb/1\tone\\ttwo\\n\nb/2\t\\xff\nc\\n\t\\\\\nd\t\n'],
    [['--prefix', 'b/'], 'b/1\tone\\ttwo\\n\nb/2\t\\xff\n'],
    [['--gt', 'a', '--lte', 'b/2', '--reverse', '--keys-only'], 'b/2\nb/1\n'],
    [['--gte', 'a', '--lt', 'b/1'], 'a\t1\n'],
    [['--limit', '2', '--keys-only'], 'a\nb/1\n'],
    [['--limit', '0'], ''],
    [['--hex', '--gte', '622f32', '--limit', '1'], '622f32\tff\n'],
    [['--base64', '--lte', 'YQ=='], 'YQ==\tMQ==\n'],
    [
      ['--format', 'jsonl', '--gte', 'b/1', '--lte', 'b/2'],
      '{"key":"b/1","value":"one\\ttwo\\n"}\n{"key":"b/2","value64":"/w=="}\n',
    ],
    [['--format', 'jsonl', '--keys-only', '--gte', 'd'], '{"key":"d"}\n'],
    [['--count'], '5\n'],
    [['--count', '--prefix', 'b'], '2\n'],
  ]
  const outcomes = await Promise.all(cases.map(([words]) => place.varve(['scan', 'data', ...words])))
  for (const [index, outcome] of outcomes.entries()) {
    assertOk(outcome)
    assert.equal(outcome.text, cases[index]?.[1], cases[index]?.[0].join(' '))
  }
})

test('a command line that makes no sense changes nothing, exits with 2, and says which part of it', async (context) => {
  const place = new Workplace(context)
  await fill(place.in('data'), [['a', '1']])
  mkdirSync(place.in('other'))
  writeFileSync(place.in('other', 'diary.txt'), 'dear diary')
  writeFileSync(place.in('a.txt'), 'not a directory')
  const cases: readonly (readonly [words: readonly string[], expected: RegExp])[] = [
    [['get', 'data'], /needs DIR KEY: KEY is missing/],
    [['get', 'data', 'a', 'b'], /does not take 'b'/],
    [['get', 'data', 'a', '--hex', '--base64'], /--hex or --base64, not both/],
    [['get', 'data', 'zz', '--hex'], /KEY is not hexadecimal/],
    [['get', 'data', '--key'], /Unknown option '--key' \(a word that begins with a dash stands behind --\)/],
    [['put', 'data', 'a', 'b', '--file', 'x'], /VALUE or --file, not both/],
    [['put', 'other', 'a', 'b'], /no shard in other, but other things are/],
    [['put', 'a.txt', 'a', 'b'], /a\.txt is a file: DIR is the directory of a shard/],
    [['delete', 'data'], /KEY is missing/],
    [['scan', 'data', '--gt', 'b', '--lt', 'a'], /no key is both gt 'b' and lt 'a'/],
    [['scan', 'data', '--gt', 'b', '--gte', 'a'], /--gt or --gte, not both/],
    [['scan', 'data', '--gt', 'b', '--gt', 'c'], /--gt is given twice/],
    [['scan', 'data', '--limit', '-1'], /--limit/],
    [['scan', 'data', '--limit', 'many'], /--limit is a whole number, not 'many'/],
    [['scan', 'data', '--format', 'xml'], /--format is text or jsonl, not 'xml'/],
    [['scan', 'data', '--limit'], /--limit <value>' argument missing/],
    [['scan', 'data', '--nope'], /Unknown option '--nope'/],
  ]
  const outcomes: Outcome[] = []
  for (const [index, [words]] of cases.entries())
    outcomes.push(await (index % 6 === 0 ? place.varve(words) : place.inProcess(words)))
  for (const [index, { code, errors, out }] of outcomes.entries()) {
    const [words = [], expected = /./] = cases[index] ?? []
    assert.equal(code, 2, `${words.join(' ')}: ${errors}`)
    assert.match(errors, expected)
    assert.match(errors, new RegExp(`\`varve help ${words[0]}\` lists its options`))
    assert.equal(out.length, 0)
  }
  assert.deepEqual(readdirSync(place.in('other')), ['diary.txt'])
})

test('delete removes a range of keys at once, and refuses a range it was not given', async (context) => {
  const place = new Workplace(context)
  const db = await open(place.in('data'), { jobs: 'inline' })
  for (const key of ['a', 'b/1', 'b/2', 'c']) await db.put(Buffer.from(key), Buffer.from('value'))
  await db.close()
  const keys = async (): Promise<string> => (await place.varve(['scan', 'data', '--keys-only'])).text
  for (const wrong of [
    ['delete', 'data'],
    ['delete', 'data', 'a', '--prefix', 'b/'],
    ['delete', 'data', '--gt', 'c', '--lt', 'a'],
  ]) {
    const refused = await place.varve(wrong)
    assert.equal(refused.code, 2, wrong.join(' '))
  }
  assert.match((await place.varve(['delete', 'data'])).errors, /KEY is missing: give keys, or a range/)
  assert.equal(await keys(), 'a\nb/1\nb/2\nc\n')
  assert.equal((await place.varve(['delete', 'data', '--prefix', 'b/'])).code, 0)
  assert.equal(await keys(), 'a\nc\n')
  const journal = await place.varve(['dump', 'data', 'journal'])
  assert.match(journal.text, /delete from just before b\/ to just before b0/)
  assert.equal((await place.varve(['delete', 'data', '--prefix', ''])).code, 0)
  assert.equal(await keys(), '')
})

test('a file that a value cannot be read from is named, and nothing is made', async (context) => {
  const place = new Workplace(context)
  for (const [file, reason] of [
    ['missing', 'no such file'],
    ['.', 'directory'],
  ] as const) {
    const { code, errors } = await place.inProcess(['put', 'data', 'key', '--file', file])
    assert.equal(code, 2, errors)
    assert.match(errors, new RegExp(`^varve: ${file.replace('.', '\\.')} cannot be read: .*${reason}`))
  }
  assert.deepEqual(readdirSync(place.path), [])
})

test('where there is no shard, a command that needs one says so and makes none', async (context) => {
  const place = new Workplace(context)
  mkdirSync(place.in('empty'))
  for (const words of [
    ['get', 'nowhere', 'a'],
    ['scan', 'empty'],
    ['delete', 'nowhere', 'a'],
    ['delete', 'empty', 'a'],
    ['compact', 'nowhere'],
    ['dump', 'nowhere', 'head'],
    ['export', 'empty'],
  ]) {
    const { code, errors } = await (words[0] === 'get' ? place.varve(words) : place.inProcess(words))
    assert.equal(code, 1, `${words.join(' ')}: ${errors}`)
    assert.match(errors, /NOT_FOUND: there is no (directory nowhere|shard)/, words.join(' '))
  }
  assert.deepEqual(readdirSync(place.path), ['empty'])
  assert.deepEqual(readdirSync(place.in('empty')), [])
})

test('a lock that cannot be read is told as such, not as that of another process', async (context) => {
  const place = new Workplace(context)
  await (await open(place.in('data'), { jobs: 'inline' })).close()
  writeFileSync(place.in('data', 'lock'), 'half a lock')
  const { code, errors } = await place.inProcess(['put', 'data', 'a', '1'])
  assert.equal(code, 1)
  assert.match(errors, /LOCKED: data\/lock cannot be read: .*remove it if no process uses data/)
})

test('while a process has the shard open, others can read it, and writing is refused with its number', async (context) => {
  const place = new Workplace(context)
  const shard = await open(place.in('data'), { jobs: 'inline' })
  try {
    await shard.put(bytes('a'), bytes('1'))
    for (const [words, expected] of [
      [['get', 'data', 'a'], '1'],
      [['scan', 'data'], 'a\t1\n'],
      [['export', 'data'], '{"key":"a","value":"1"}\n'],
    ] as const) {
      const outcome = await place.varve(words)
      assertOk(outcome)
      assert.equal(outcome.text, expected)
    }
    for (const words of [
      ['put', 'data', 'b', '2'],
      ['delete', 'data', 'a'],
      ['compact', 'data'],
      ['import', 'data', '-', '--format', 'jsonl'],
    ]) {
      const { code, errors } = await place.varve(words)
      assert.equal(code, 1, words.join(' '))
      assert.match(errors, new RegExp(`LOCKED: data is open in process ${process.pid}\n`))
    }
    assert.equal(Buffer.from((await shard.get(bytes('a'))) ?? []).toString(), '1')
  } finally {
    await shard.close()
  }
})
