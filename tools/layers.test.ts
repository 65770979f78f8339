import assert from 'node:assert/strict'
import { test } from 'node:test'
import { importsOf, packageOf, resolveImport } from './imports.ts'
import { findRing, layerProblems, partOf, readLayers } from './layers.ts'
import { isSource, listFiles, readManifest } from './repository.ts'
import { parseFile, parseText } from './syntax.ts'

const layers = readLayers()
const paths = listFiles().filter((path) => path.startsWith('src/') && path.endsWith('.ts'))
const sources = paths.map(parseFile)

test('every import in src follows an arrow of the architecture', () => {
  assert.ok(sources.length > 0, 'no source files found')
  const problems = sources.flatMap((source) => layerProblems(source, layers))
  assert.ok(problems.length === 0, problems.join('\n'))
})

// The architecture once drew arrows to the table format from shard and jobs, which know no table, and a folder that was never made.
test('every part is there, and every arrow is one that an import takes', () => {
  for (const part of Object.keys(layers.parts))
    assert.ok(
      paths.some((path) => path === `src/${part}.ts` || path.startsWith(`src/${part}/`)),
      `${part} is not there`,
    )
  const taken = new Set<string>()
  for (const source of sources) {
    for (const { specifier } of importsOf(source)) {
      const target = specifier === undefined ? undefined : resolveImport(source.path, specifier)
      if (target !== undefined) taken.add(`${partOf(source.path, layers)} → ${partOf(target, layers)}`)
    }
  }
  const arrows = Object.entries(layers.parts).flatMap(([part, targets]) => targets.map((each) => `${part} → ${each}`))
  assert.deepEqual(
    arrows.filter((arrow) => !taken.has(arrow)),
    [],
    'arrows in tools/layers.json that nothing takes',
  )
})

test('the arrows only point down: no part reaches itself through others', () => {
  assert.equal(findRing(layers.parts), undefined)
  assert.equal(findRing({ a: ['b'], b: ['c'], c: ['b'] }), 'b → c → b')
})

test('only the parts that compose may import an implementation elsewhere or the addon loader', () => {
  for (const [part, targets] of Object.entries(layers.parts)) {
    if (layers.composers.includes(part)) continue
    const composed = targets.filter((target) => layers.composersOnly.includes(target))
    assert.deepEqual(composed, [], `tools/layers.json lets ${part} import ${composed.join(', ')}`)
  }
  for (const part of Object.keys(layers.parts).filter((name) => name.endsWith('/remote'))) {
    assert.ok(layers.composersOnly.includes(part), `${part} is missing from composersOnly`)
  }
})

test('every part named in the layer data exists in the layer data', () => {
  const known = new Set(Object.keys(layers.parts))
  for (const [part, targets] of Object.entries(layers.parts)) {
    for (const target of targets) assert.ok(known.has(target), `${part} may import ${target}, which is no part`)
  }
  for (const part of Object.keys(layers.packages)) assert.ok(part === 'about' || known.has(part), `${part} is no part`)
})

test('no source files import each other in a ring, type-only imports aside', () => {
  const edges: Record<string, string[]> = {}
  for (const source of sources) {
    edges[source.path] = importsOf(source)
      .filter(({ kind }) => kind === 'static')
      .map(({ specifier }) => resolveImport(source.path, specifier ?? ''))
      .filter((target) => target !== undefined)
  }
  assert.equal(findRing(edges), undefined)
})

test('every package that published code imports is a dependency, and every dependency is imported', () => {
  const manifest = readManifest()
  const declared = { ...manifest.dependencies, ...manifest.peerDependencies, ...manifest.optionalDependencies }
  const imported = new Set<string>()
  for (const source of sources.filter(({ path }) => isSource(path))) {
    for (const { specifier, line } of importsOf(source)) {
      const name = specifier === undefined ? undefined : packageOf(specifier)
      if (name === undefined) continue
      imported.add(name)
      assert.ok(Object.hasOwn(declared, name), `${source.path}:${line}: ${name} is not a dependency in package.json`)
    }
  }
  const unused = Object.keys(manifest.dependencies).filter((name) => !imported.has(name))
  assert.deepEqual(unused, [], 'dependencies in package.json that nothing in src imports')
})

test('a planted upward, sideways, barrel or remote import is found, however it is written', () => {
  const problems = (path: string, text: string): readonly string[] => layerProblems(parseText(path, text), layers)
  const rejected: readonly (readonly [string, string, RegExp])[] = [
    ['src/kernel/x.ts', "import type { FileStore } from '../fs/fs.ts'", /kernel must not import fs/],
    ['src/kernel/x.ts', "import { createHash } from 'node:crypto'", /kernel must not import node:crypto/],
    ['src/journal/x.ts', "export * from '../memtable/memtable.ts'", /journal must not import memtable/],
    ['src/fs/x.ts', "let x: import('../sst/sst.ts').TableFormat", /fs must not import sst/],
    ['src/fs/x.ts', "await import('../shard/shard.ts')", /fs must not import shard/],
    ['src/jobs/x.ts', "new URL('../shard/worker.js', import.meta.url)", /jobs must not import shard/],
    ['src/fs/x.ts', "const x = require('../jobs/jobs.ts')", /fs must not import jobs/],
    ['src/shard/x.ts', "import { Remote } from '../journal/remote/client.ts'", /shard must not import journal\/remote/],
    ['src/shard/x.ts', "import { assert } from '../kernel/index.ts'", /index\.ts is for users/],
    ['src/shard/x.ts', "import '../../tools/layers.ts'", /outside src/],
    ['src/shard/x.ts', "import tape from 'tape'", /must not import the package tape/],
    ['src/engines/kv/x.ts', "import '../level/level.ts'", /engines\/kv must not import engines\/level/],
    ['src/shard/x.ts', "import '../testing/x.ts'", /shard must not import testing/],
    ['src/odd.ts', '', /belongs to no part/],
  ]
  for (const [path, text, message] of rejected) {
    const found = problems(path, text)
    assert.equal(found.length, 1, `${text} in ${path} gave ${JSON.stringify(found)}`)
    assert.match(found[0] ?? '', message)
  }
  assert.deepEqual(problems('src/shard/x.test.ts', "import '../testing/x.ts'; import fc from 'fast-check'"), [])
  assert.deepEqual(problems('src/jobs/remote/x.ts', "import '../jobs.ts'; import '../../rpc/frame.ts'"), [])
  assert.equal(partOf('src/shard/policy/leveled.ts', layers), 'shard')
})
