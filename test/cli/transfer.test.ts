/** import and export, each in a process of its own. */

import assert from 'node:assert/strict'
import { existsSync, mkdirSync, readFileSync, readdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import fc from 'fast-check'
import { open } from '../../src/local.ts'
import { Workplace, start } from './varve-process.ts'
import type { Outcome } from './varve-process.ts'

// Beside the repository, where there is one.
const NAB = fileURLToPath(new URL('../../../../shared/data/nab', import.meta.url))

type Entry = readonly [key: Uint8Array, value: Uint8Array]

async function fill(directory: string, entries: readonly Entry[]): Promise<void> {
  const shard = await open(directory, { jobs: 'inline' })
  await shard.batch(entries.map(([key, value]) => ({ type: 'put', key, value })))
  await shard.close()
}

async function contentOf(directory: string): Promise<ReadonlyMap<string, string>> {
  const shard = await open(directory, { readOnly: true })
  try {
    const content = new Map<string, string>()
    for await (const { key, value } of shard.scan())
      content.set(Buffer.from(key).toString('latin1'), Buffer.from(value).toString('latin1'))
    return content
  } finally {
    await shard.close()
  }
}

function assertOk(outcome: Outcome): void {
  assert.equal(outcome.code, 0, outcome.errors)
}

/** The same every time: what a property of fast-check would try, in one go. */
function sampleEntries(arbitrary: fc.Arbitrary<Uint8Array>): readonly Entry[] {
  const sample = fc.sample(fc.tuple(arbitrary, arbitrary), { seed: 7, numRuns: 500 })
  const entries = new Map(sample.map(([key, value]) => [Buffer.from(key).toString('latin1'), [key, value] as const]))
  return [...entries.values()]
}

const text = fc.string({ unit: 'binary', maxLength: 12 }).map((each) => new Uint8Array(Buffer.from(each)))
const bytes = fc.oneof(fc.uint8Array({ maxLength: 12 }), text)

test('any entries, exported and imported again, are the same byte for byte', async (context) => {
  const place = new Workplace(context)
  const large = Buffer.alloc(3 * 1024 * 1024, 'large ')
  await fill(place.in('data'), [
    ...sampleEntries(bytes),
    [Buffer.from('large'), large],
    [Buffer.from('large bytes'), Buffer.alloc(700_000, 0xfe)],
  ])
  await fill(place.in('texts'), [...sampleEntries(text), [Buffer.from('large'), large]])
  const expected = { data: await contentOf(place.in('data')), texts: await contentOf(place.in('texts')) }
  assert.ok(expected.data.size > 400 && expected.texts.size > 400)
  for (const [source, file, ...options] of [
    ['data', 'a.jsonl'],
    ['data', 'b.csv', '--base64'],
    ['texts', 'c.csv'],
  ] as const) {
    const exported = await place.varve(['export', source, file, ...options])
    assertOk(exported)
    assert.match(exported.errors, new RegExp(`Exported ${expected[source].size} entries`))
    const target = `from ${file}`
    assertOk(await place.varve(['import', target, file]))
    assert.deepEqual(await contentOf(place.in(target)), expected[source], file)
    const again = await place.varve(['import', target, file])
    assert.match(again.errors, new RegExp(`${expected[source].size} entries were there already`))
  }
  const piped = await place.varve(['export', 'data'])
  assert.deepEqual(piped.out, readFileSync(place.in('a.jsonl')))
  assertOk(await place.varve(['import', 'piped', '-', '--format', 'jsonl'], piped.out))
  assert.deepEqual(await contentOf(place.in('piped')), expected.data)
})

test('a tree of files, imported and exported again, has the same files, and links are left out', async (context) => {
  const place = new Workplace(context)
  const files: Readonly<Record<string, Uint8Array>> = {
    'a.txt': Buffer.from('text'),
    'a-b': Buffer.from('between'),
    'folder/ünï cödé 🪨': Buffer.from([0, 255, 10, 13]),
    'folder/deep/er/empty': Buffer.alloc(0),
    'big.bin': Buffer.alloc(2_000_000, 'xyz'),
  }
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(place.in('tree', path)), { recursive: true })
    writeFileSync(place.in('tree', path), content)
  }
  symlinkSync('a.txt', place.in('tree', 'link'))
  const imported = await place.varve(['import', 'data', 'tree'])
  assertOk(imported)
  assert.match(imported.text, /Imported 5 entries/)
  assert.match(imported.errors, /Left out 1 symbolic link/)
  assertOk(await place.varve(['export', 'data', 'copy', '--format', 'tree']))
  const found = readdirSync(place.in('copy'), { recursive: true, encoding: 'utf8' }).filter((path) =>
    statSync(place.in('copy', path)).isFile(),
  )
  assert.deepEqual(found.sort(), Object.keys(files).sort())
  for (const [path, content] of Object.entries(files))
    assert.deepEqual(readFileSync(place.in('copy', path)), Buffer.from(content))
  const twice = await place.varve(['export', 'data', 'copy', '--format', 'tree'])
  assert.equal(twice.code, 2)
  assert.match(twice.errors, /copy is not empty/)
})

test('keys that would lead out of the tree, or be file and directory at once, are named, and nothing is written', async (context) => {
  const place = new Workplace(context)
  const value = Buffer.from('x')
  const keys = ['../../escaped', '/etc/passwd', 'a', 'a-b', 'a/b', 'fine']
  await fill(
    place.in('data'),
    keys.map((key) => [Buffer.from(key), value]),
  )
  const { code, errors } = await place.varve(['export', 'data', 'tree', '--format', 'tree'])
  assert.equal(code, 1)
  for (const expected of [
    /\.\.\/\.\.\/escaped: it has the name \.\./,
    /\/etc\/passwd: it begins with \//,
    /a\/b: a is a key too/,
  ])
    assert.match(errors, expected)
  assert.doesNotMatch(errors, /fine|a-b:/)
  assert.ok(!existsSync(place.in('tree')) && !existsSync(place.in('..', '..', 'escaped')))
  assertOk(await place.varve(['export', 'data', 'tree', '--format', 'tree', '--prefix', 'f']))
  assert.deepEqual(readdirSync(place.in('tree')), ['fine'])
})

test('of a file with a bad line, what stood before it stays, and the line is named with its column', async (context) => {
  const place = new Workplace(context)
  const line = (index: number): string => `{"key":"k${String(index).padStart(6, '0')}","value":"${index}"}\n`
  const good = Array.from({ length: 20_000 }, (_, index) => line(index))
  writeFileSync(place.in('bad.jsonl'), [...good, '{"key":"x",,}\n', line(999_999)].join(''))
  writeFileSync(place.in('bad.csv'), 'key,value\na,1\nb,"2"3\nc,3\n')
  writeFileSync(place.in('latin1.csv'), Buffer.from('key,value\r\nz\xfcrich,1\r\n', 'latin1'))
  const json = await place.varve(['import', 'data', 'bad.jsonl'])
  assert.equal(json.code, 1)
  assert.match(
    json.errors,
    /varve: bad\.jsonl:20001:12: not JSON: ',' cannot be here\n20,000 entries before it have been imported, and stay/,
  )
  assert.equal((await place.varve(['scan', 'data', '--count'])).text, '20000\n')
  const rows = await place.varve(['import', 'data', 'bad.csv'])
  assert.equal(rows.code, 1)
  assert.match(
    rows.errors,
    /bad\.csv:3:6: '3' behind the closing quote of a field\n1 entry before it has been imported/,
  )
  assert.equal((await place.varve(['scan', 'data', '--count'])).text, '20001\n')
  const latin1 = await place.varve(['import', 'data', 'latin1.csv'])
  assert.match(latin1.errors, /latin1\.csv:2:2: byte 0xfc is not UTF-8/)
  const dry = await place.varve(['import', 'nothing', 'bad.csv', '--dry-run'])
  assert.equal(dry.code, 1)
  assert.match(dry.errors, /bad\.csv:3:6/)
  assert.ok(!existsSync(place.in('nothing')))
})

test('rows with one key and two values are told, and may be kept, or stop the import', async (context) => {
  const place = new Workplace(context)
  writeFileSync(place.in('twice.csv'), 'id,v\r\na,1\r\nb,2\r\na,3\r\nb,2\r\n')
  const words = ['twice.csv', '--key-column', 'id', '--value-column', 'v']
  const replaced = await place.varve(['import', 'one', ...words])
  assertOk(replaced)
  assert.match(replaced.errors, /1 value replaced: .* the first is in line 4 of twice\.csv/)
  assert.equal((await place.varve(['scan', 'one'])).text, 'a\t3\nb\t2\n')
  const kept = await place.varve(['import', 'two', ...words, '--existing', 'keep'])
  assertOk(kept)
  assert.match(kept.errors, /1 entry left out/)
  assert.equal((await place.varve(['scan', 'two'])).text, 'a\t1\nb\t2\n')
  const stopped = await place.varve(['import', 'three', ...words, '--existing', 'stop'])
  assert.equal(stopped.code, 1)
  assert.match(stopped.errors, /twice\.csv:4: the key a has another value already/)
})

test('import and export refuse what makes no sense before they touch anything', async (context) => {
  const place = new Workplace(context)
  await fill(place.in('data'), [[Uint8Array.of(0xff), Buffer.from('x')]])
  writeFileSync(place.in('a.csv'), 'at,v\n1,2\n')
  writeFileSync(place.in('b.xml'), '<a/>')
  const cases: readonly (readonly [words: readonly string[], expected: RegExp])[] = [
    [['import', 'new', 'a.csv'], /a\.csv has the columns 'at', 'v': say which make the key/],
    [['import', 'new', 'a.csv', '--key', '{nope}'], /no column 'nope'/],
    [['import', 'new', 'a.csv', '--key', '{at'], /single '\{'/],
    [['import', 'new', 'a.csv', '--key', '{at}', '--key-column', 'at'], /not both/],
    [['import', 'new', 'a.csv', '--key', '{at}', '--delimiter', '--'], /delimiter/],
    [['import', 'new', 'a.csv', '--key', '{at}', '--existing', 'maybe'], /--existing is replace, keep or stop/],
    [['import', 'new', 'b.xml'], /does not tell the format/],
    [['import', 'new', 'gone.csv'], /gone\.csv cannot be read/],
    [['import', 'new', '-'], /say what standard input is/],
    [['import', 'new', 'a.csv', '--format', 'tree'], /a\.csv is not a directory/],
    [['import', 'new', '.', '--value-column', 'v'], /--value-column is for CSV, not for tree/],
    [['import', 'new'], /FILE is missing/],
    [['import', 'a.csv', 'b.xml', '--format', 'jsonl'], /a\.csv is a file: DIR is the directory of a shard/],
    [['export', 'data', 'out.xml'], /does not tell the format/],
    [['export', 'data', 'a.csv'], /a\.csv is there already: --force/],
    [['export', 'data', '--format', 'tree'], /a tree needs FILE/],
    [['export', 'data', 'no/folder.jsonl'], /cannot be written/],
  ]
  const outcomes: Outcome[] = []
  for (const [index, [words]] of cases.entries())
    outcomes.push(await (index % 6 === 0 ? place.varve(words) : place.inProcess(words)))
  for (const [index, { code, errors }] of outcomes.entries()) {
    const [words = [], expected = /./] = cases[index] ?? []
    assert.equal(code, 2, `${words.join(' ')}: ${errors}`)
    assert.match(errors, expected)
  }
  const csv = await place.varve(['export', 'data', 'out.csv'])
  assert.equal(csv.code, 1)
  assert.match(csv.errors, /the entry 0xff is not UTF-8, and CSV is text: use --base64/)
  assert.deepEqual(readdirSync(place.path).sort(), ['a.csv', 'b.xml', 'data'])
})

test('an export that meets a full disk names the file, and says what to do', async (context) => {
  if (!existsSync('/dev/full')) return context.skip('there is no /dev/full here')
  const place = new Workplace(context)
  await place.varve(['put', 'data', 'a', 'value'])
  const { code, errors } = await place.inProcess(['export', 'data', '/dev/full', '--format', 'jsonl'])
  assert.equal(code, 1)
  assert.match(errors, /^varve: NO_SPACE: write of \/dev\/full failed: .*\n.*Make room/)
})

test('a reader who has seen enough ends an export without a word', async (context) => {
  const place = new Workplace(context)
  await fill(
    place.in('data'),
    Array.from({ length: 2000 }, (_, index) => [Buffer.from(`k${index}`), Buffer.alloc(1000, 'v')]),
  )
  for (const command of ['export', 'scan']) {
    const running = start([command, 'data'], { cwd: place.path, input: '' })
    running.hangUp()
    const { code, errors } = await running.ended
    assert.equal(code, 1)
    assert.doesNotMatch(errors, /EPIPE|Error|at /)
  }
})

test('Ctrl-C ends an import with 130, and what had arrived stays and is whole', async (context) => {
  const place = new Workplace(context)
  const running = start(['import', 'data', '-', '--format', 'jsonl'], { cwd: place.path })
  await running.says('made a new shard')
  running.signal('SIGINT')
  const { code, errors } = await running.ended
  assert.equal(code, 130)
  assert.match(errors, /varve: stopped/)
  const after = await place.varve(['verify', 'data'])
  assertOk(after)
  assertOk(await place.varve(['put', 'data', 'a', 'b']))
})

test(
  'the metrics in shared/data import with the file and the time as keys, every row of every file',
  { skip: existsSync(NAB) ? false : `there is no ${NAB}` },
  async (context) => {
    const place = new Workplace(context)
    const files = ['realTweets', 'realKnownCause'].flatMap((folder) =>
      readdirSync(join(NAB, folder))
        .filter((name) => name.endsWith('.csv'))
        .map((name) => join(NAB, folder, name)),
    )
    const rows = files.reduce((sum, file) => sum + readFileSync(file, 'utf8').trim().split('\n').length - 1, 0)
    const words = [...files, '--key', '{file}/{timestamp}', '--value-column', 'value', '--key-prefix', 'nab/']
    const imported = await place.varve(['import', 'data', ...words])
    assertOk(imported)
    assert.match(imported.text.replaceAll(',', ''), new RegExp(`Imported ${rows} entries`))
    // Some clocks were put back: those rows have one key, and the import says how many they are.
    const replaced = Number(/(\d+) values replaced/.exec(imported.errors)?.[1] ?? 0)
    assert.ok(replaced > 0)
    const apart = await place.varve(['import', 'apart', ...files, '--key', '{file}/{timestamp}/{line}'])
    assertOk(apart)
    assert.doesNotMatch(apart.errors, /replaced/)
    assert.equal((await place.varve(['scan', 'apart', '--count'])).text, `${rows}\n`)
    const first = await place.varve(['scan', 'data', '--prefix', 'nab/Twitter_volume_AAPL/', '--limit', '1'])
    assert.equal(first.text, 'nab/Twitter_volume_AAPL/2015-02-26 21:42:53\t104\n')
    const json = await place.varve(['scan', 'apart', '--prefix', 'Twitter_volume_AAPL/', '--limit', '1'])
    assert.equal(json.text, 'Twitter_volume_AAPL/2015-02-26 21:42:53/2\t{"value":"104"}\n')
  },
)
