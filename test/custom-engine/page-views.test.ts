/** The example engine by itself: its limits, its two formats, its jobs on worker threads of the built package. */

import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { execPath } from 'node:process'
import { fileURLToPath } from 'node:url'
import { test } from 'node:test'
import { localComponents, openKv } from 'varve'
import { isCode } from 'varve/kernel'
import type { AnsweredJob } from 'varve/shard'
import { pageViewEngine } from '../../examples/custom-engine/engine.ts'
import { COLUMNS, ROWS } from '../../examples/custom-engine/formats.ts'
import { HANDLERS, PageViews } from '../../examples/custom-engine/page-views.ts'
import { importsOf } from '../../tools/imports.ts'
import { lineCount } from '../../tools/file-length.ts'
import { listFiles, readManifest, readText } from '../../tools/repository.ts'
import { parseFile } from '../../tools/syntax.ts'
import { PageViewModel, pageView } from '../../examples/custom-engine/test/page-view-model.ts'

const example = listFiles().filter((path) => /^examples\/custom-engine\/[^/]+$/.test(path))

async function withPageViews(
  options: { readonly jobs: 'threads' | 'inline'; readonly memtableBytes?: number },
  body: (views: PageViews, reopen: () => Promise<PageViews>) => Promise<void>,
): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'varve-page-views-'))
  const { jobs, memtableBytes = 1024 } = options
  let close = async (): Promise<void> => {}
  const open = async (): Promise<PageViews> => {
    await close()
    const components = await localComponents(directory, { handlers: HANDLERS, jobs })
    const views = await PageViews.open(components, { settings: { memtableBytes } })
    close = () => views.shard.close().then(() => components.close())
    return views
  }
  try {
    await body(await open(), open)
  } finally {
    await close()
    rmSync(directory, { recursive: true })
  }
}

test('the example engine has at most 300 lines and imports nothing but public subpaths', () => {
  const lines = example.reduce((sum, path) => sum + lineCount(readText(path)), 0)
  assert.ok(lines > 0 && lines <= 300, `it has ${lines} lines`)
  const manifest = readManifest()
  const subpaths = Object.keys(manifest.exports).map((subpath) => subpath.replace(/^\./, manifest.name))
  for (const path of example) {
    for (const { specifier = '', line } of importsOf(parseFile(path))) {
      assert.ok(subpaths.includes(specifier) || /^\.\/[^/]+$/.test(specifier), `${path}:${line} imports ${specifier}`)
    }
  }
})

for (const jobs of ['threads', 'inline'] as const) {
  test(`flushes and merges with jobs: ${jobs} keep every view, across reopening`, async () => {
    await withPageViews({ jobs }, async (views, reopen) => {
      const numbers = Array.from({ length: 400 }, (_, number) => number)
      for (const number of numbers) {
        const { page, day, count } = pageView(number)
        await views.add(page, day, count)
      }
      await views.shard.flush()
      await views.shard.settle()
      const { flushes, compactions, files } = views.shard.statistics()
      assert.ok(flushes > 6 && compactions > 0, `${flushes} flushes, ${compactions} compactions`)
      assert.ok(files <= 12, `${files} files are more than the policy leaves`)
      const expected = new PageViewModel(numbers.map(pageView)).text()
      assert.equal(await PageViewModel.read(views), expected)
      assert.equal(await PageViewModel.read(await reopen()), expected)
    })
  })
}

test('one flush writes one file of each format, with the same writes in both', async () => {
  await withPageViews({ jobs: 'threads', memtableBytes: 1 << 20 }, async (views) => {
    for (let page = 0; page < 1000; page++) await views.add(page, 7, page + 1)
    await views.shard.flush()
    assert.equal(views.shard.statistics().flushes, 1)
    const { files } = views.shard.view.version
    assert.deepEqual(
      files.map(({ format }) => format),
      [ROWS, COLUMNS],
    )
    assert.deepEqual(
      files.map(({ seqnoFirst, seqnoLast }) => [seqnoFirst, seqnoLast]),
      [
        [1, 1000],
        [1, 1000],
      ],
    )
    // Four blocks of rows: their first and last records, and those that are not there.
    for (const page of [0, 255, 256, 511, 512, 767, 768, 999]) assert.equal(await views.count(page, 7), page + 1)
    assert.deepEqual([await views.count(500, 6), await views.count(500, 8), await views.count(1000, 7)], [0, 0, 0])
    assert.deepEqual(await views.totals('day'), new Map([[7, (1000 * 1001) / 2]]))
  })
})

test('analytics see what is in memory and what is in files at once', async () => {
  await withPageViews({ jobs: 'inline' }, async (views) => {
    await views.add(1, 10, 5)
    await views.shard.flush()
    await views.add(1, 11, 7)
    await views.add(2, 10, 1)
    assert.deepEqual(
      await views.totals('page'),
      new Map([
        [1, 12],
        [2, 1],
      ]),
    )
    assert.equal(await views.count(1, 10), 5)
  })
})

test('views of no page, no day or no count are refused before they are written', async () => {
  await withPageViews({ jobs: 'inline' }, async (views) => {
    for (const [page, day, count] of [
      [-1, 0, 1],
      [2 ** 32, 0, 1],
      [0, 65_536, 1],
      [0.5, 0, 1],
      [0, 0, 0],
      [0, 0, 1.5],
    ] as const)
      assert.throws(() => views.add(page, day, count), RangeError)
    assert.equal(views.shard.visible, 0)
  })
})

test('an answer that lost views, or a file, is rejected', async () => {
  const meta = Uint8Array.of(5)
  const ref = { name: 'x', bytes: 1, checksum: '0000000000000000' }
  const common = { ref, group: 0, seqnoFirst: 1, seqnoLast: 2, meta }
  const outputs = [ROWS, COLUMNS].map((format) => ({ ...common, format })) as never as AnsweredJob['outputs']
  const verify = (views: number, count: number): Promise<void> =>
    pageViewEngine.verify([
      { spec: { id: 'j1', parameters: { views } } as never, outputs: outputs.slice(0, count), statistics: {} },
    ])
  await verify(5, 2)
  for (const [views, count] of [
    [6, 2],
    [5, 1],
    [5, 0],
  ] as const)
    await assert.rejects(verify(views, count), (error) => isCode(error, 'JOB_REJECTED'))
})

test('a directory of page views does not open as a key-value store', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'varve-page-views-'))
  try {
    const components = await localComponents(directory, { handlers: HANDLERS, jobs: 'inline' })
    const views = await PageViews.open(components)
    await views.add(1, 1)
    await views.shard.close()
    await assert.rejects(openKv(components), (error) => isCode(error, 'INCOMPATIBLE'))
  } finally {
    rmSync(directory, { recursive: true })
  }
})

test('the example program runs, twice in the same directory', () => {
  const directory = mkdtempSync(join(tmpdir(), 'varve-page-views-'))
  try {
    const program = fileURLToPath(new URL('../../examples/custom-engine/main.js', import.meta.url))
    for (const expected of ['15', '30']) {
      const child = spawnSync(execPath, [program, directory], { encoding: 'utf8', timeout: 300_000 })
      assert.equal(child.status, 0, child.stderr)
      assert.match(child.stdout, new RegExp(`^page 42 on day 20,000: ${expected} `))
    }
  } finally {
    rmSync(directory, { recursive: true })
  }
})
