/** Tidiness of the whole repository. Each check is also shown something untidy, so that none passes by not looking. */

import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { bannedUses, covers, readBannedRules } from './banned-uses.ts'
import { deadFiles, publicEntries } from './dead-files.ts'
import { undocumented } from './docstrings.ts'
import { LENGTH_RULES, lengthProblems, lineCount, median, readRatchet } from './file-length.ts'
import { deadCitations, leftoverMarks, leftoverMarksInText, machinePaths, registryHosts } from './leftovers.ts'
import { missingFromLock } from './lock-file.ts'
import type { LockFile } from './lock-file.ts'
import { markdownProblems, parseMarkdown } from './markdown.ts'
import { ROOT, isSource, isTest, listFiles, readJson, readManifest, readText, sourceOf } from './repository.ts'
import { parseFile, parseText } from './syntax.ts'
import { testNameProblems } from './test-names.ts'
import { builtDeclarations, unnamedTypes } from './unnamed-types.ts'

const files = listFiles()
const sources = files.filter((path) => path.endsWith('.ts') && !path.endsWith('.d.ts')).map(parseFile)
const texts = files.filter((path) => /\.(?:ts|mjs|js|json|md|yml|yaml|sh)$|^\.[^/]+$|^\.ci\//.test(path))
const manuals = files.filter((path) => path.endsWith('.md')).map((path) => parseMarkdown(path, readText(path)))
const rules = readBannedRules()

/** One problem a line: easier to read than the difference of two arrays. */
function assertNone(problems: readonly string[]): void {
  assert.ok(problems.length === 0, problems.join('\n'))
}

test('time, chance, files, network and the process are used only in the files named for them', () => {
  const src = sources.filter(({ path }) => path.startsWith('src/') || isTest(path))
  assert.ok(src.length > 0, 'no source files found')
  assertNone(src.flatMap((source) => bannedUses(source, rules)))
})

test('a planted use of the platform is found however it is written, and a name of its own is left alone', () => {
  const found = (text: string, path = 'src/shard/x.ts'): number => bannedUses(parseText(path, text), rules).length
  for (const text of [
    'Date.now()',
    'const now = Date.now',
    'new Date()',
    'Date()',
    "performance['now']()",
    'globalThis.setTimeout(f, 1)',
    'const { setTimeout: later } = globalThis',
    'const later = setImmediate',
    'AbortSignal.timeout(5)',
    'Math.random()',
    "import { randomBytes } from 'crypto'",
    "export * from 'node:timers/promises'",
    "import { readFile } from 'fs/promises'",
    "import * as net from 'node:net'",
    'process.exit(1)',
    'console.log(1)',
    'names.sort((a, b) => a.localeCompare(b))',
    'new Intl.Collator()',
    "await import('./x.ts')",
    'const x = { process }',
  ]) {
    assert.equal(found(text), 1, `not found once: ${text}`)
  }
  for (const text of [
    'new Date(5)',
    'let x: Date',
    "import type { Stats } from 'node:fs'",
    'let x: typeof setTimeout',
    'function run(process: () => void): void { process() }',
    'clock.now(); this.performance; const x = { console: 1 }; x.console',
    "import { createHash } from 'node:crypto'",
  ]) {
    assert.equal(found(text), 0, `found, and should not be: ${text}`)
  }
  assert.equal(found('Date.now()', 'src/system-clock.ts'), 0)
  assert.equal(found('Date.now()', 'src/shard/x.test.ts'), 0)
  assert.equal(found('Math.random()', 'src/shard/x.test.ts'), 1)
})

test('every file that a ban lets through exists', () => {
  for (const allowed of rules.flatMap((rule) => Object.keys(rule.allowed))) {
    assert.ok(
      files.some((path) => covers(allowed, path)),
      `tools/banned.json allows ${allowed}, which does not exist`,
    )
  }
})

test('every published file is reached from an entry point, every helper from a test or a script', () => {
  assertNone(deadFiles(sources, readManifest()))
})

test('a planted dead file is found, and one that only its test imports too', () => {
  const manifest = {
    ...readManifest(),
    exports: { '.': { types: './dist/index.d.ts', default: './dist/index.js' } },
    bin: {},
  }
  const planted = [
    parseText('src/index.ts', "export * from './used.ts'"),
    parseText('src/used.ts', ''),
    parseText('src/alone.ts', ''),
    parseText('src/tested.ts', ''),
    parseText('src/tested.test.ts', "import './tested.ts'"),
    parseText('test/helper.ts', ''),
  ]
  assert.deepEqual(deadFiles(planted, manifest), [
    'src/alone.ts is not reached from exports or bin of package.json',
    'src/tested.ts is not reached from exports or bin of package.json, only from tests',
    'test/helper.ts is not reached from a test or a script of package.json',
  ])
})

test('every name that the package exports, and every member of it, has a docstring', () => {
  assertNone(undocumented(readManifest(), new Map(sources.map((source) => [source.path, source]))))
})

test('a planted name, member or overload without a docstring is found, and one that another documents is not', () => {
  const manifest = {
    ...readManifest(),
    exports: { '.': { types: './dist/index.d.ts', default: './dist/index.js' } },
    bin: {},
  }
  const found = (text: string): readonly string[] => {
    const planted = [parseText('src/index.ts', "export * from './x.ts'"), parseText('src/x.ts', text)]
    const problems = undocumented(manifest, new Map(planted.map((source) => [source.path, source])))
    return problems.map((problem) => problem.replace(/^src\/x\.ts:\d+ (\S+) .*$/, '$1'))
  }
  assert.deepEqual(found('// A line.\nexport const x = 1'), ['x'])
  assert.deepEqual(found('/** Of x. */\n// Why it is 1.\nexport const x = 1'), [])
  assert.deepEqual(found('/** T. */\nexport interface T {\n  a: 1\n  /** B. */\n  b: 1\n  type: 1\n}'), ['T.a'])
  assert.deepEqual(found('/** U. */\nexport type U =\n  { a: 1 } | {\n  b: 1\n}'), ['U.b'])
  assert.deepEqual(
    found('/** C. */\nexport class C {\n  #a = 1\n  constructor(a: 1, b: 2) {}\n  [Symbol.iterator](): void {}\n}'),
    ['C.constructor'],
  )
  assert.deepEqual(
    found('interface P {\n  /** A. */\n  a(): void\n}\n/** C. */\nexport class C implements P {\n  a(): void {}\n}'),
    [],
  )
  assert.deepEqual(found('/** f. */\nexport function f(a: 1): 1\nexport function f(a: 2): 2'), [])
})

test('whatever type a signature of an exported name speaks of, some subpath exports', () => {
  const declarations = builtDeclarations(ROOT, 'dist')
  assert.ok(declarations.has('dist/index.d.ts'), 'dist has no declarations: run npm run build')
  assertNone(unnamedTypes(readManifest(), declarations))
})

test('a planted type that nobody can name is found, and one that is not for users is left alone', () => {
  const exports = {
    '.': { types: './dist/index.d.ts', default: './dist/index.js' },
    './b': { types: './dist/b.d.ts', default: './dist/b.js' },
  }
  const found = (x: string, index = "export * from './x.ts';"): readonly string[] => {
    const planted = [
      parseText('dist/index.d.ts', index),
      parseText('dist/b.d.ts', "export type { Shared } from './y.ts';"),
      parseText('dist/x.d.ts', `import type { Hidden, Shared } from './y.ts';\n${x}`),
      parseText('dist/y.d.ts', 'export interface Hidden {}\nexport interface Shared {}\nexport interface Deep {}'),
    ]
    const problems = unnamedTypes({ ...readManifest(), exports }, new Map(planted.map((file) => [file.path, file])))
    return problems.map((problem) => problem.replace(/^(\S+): (\S+) speaks of (\S+), .*$/, '$1 $2 $3'))
  }
  assert.deepEqual(found('export declare function f(a: Hidden): void;'), ['. f Hidden'])
  assert.deepEqual(found('export interface T { readonly a: readonly Hidden[] }'), ['. T Hidden'])
  assert.deepEqual(found('export declare class C { constructor(a: Hidden); }'), ['. C Hidden'])
  assert.deepEqual(found('declare class B { a(): Hidden }\nexport declare class C extends B {}'), ['. C Hidden'])
  assert.deepEqual(found('interface P { a: Hidden }\nexport interface T extends P {}'), ['. T Hidden'])
  assert.deepEqual(found('export declare function f(a: Shared): Promise<void>;'), [])
  assert.deepEqual(found('export declare function f<T>(a: T): T;'), [])
  assert.deepEqual(found('export declare class C { private a: Hidden; protected b(): Hidden }'), [])
  assert.deepEqual(found('export declare class C {\n  /** Use `f`. */\n  constructor(a: Hidden);\n}'), [])
  const made = 'export declare class C { constructor(a: Hidden); static of(a: Hidden): C }'
  assert.deepEqual(found(made, "export type { C } from './x.ts';"), [])
  assert.deepEqual(found(made, "export { C } from './x.ts';"), ['. C Hidden'])
})

test('every entry point of package.json has a source', () => {
  const missing = publicEntries(readManifest()).filter((entry) => !existsSync(join(ROOT, sourceOf(entry))))
  assertNone(missing)
})

test('the median published file is short, and no file is long without saying why', () => {
  assertNone(lengthProblems(sources, readRatchet()))
  const middle = median(sources.filter(({ path }) => isSource(path)).map(({ text }) => lineCount(text)))
  assert.ok(
    middle > 0 && middle < LENGTH_RULES.medianLimit,
    `the median file has ${middle} lines, limit ${LENGTH_RULES.medianLimit}`,
  )
})

test('a file that is too long, has grown or has shrunk past its record is found', () => {
  const file = (lines: number, header = ''): ReturnType<typeof parseText> =>
    parseText('src/x.ts', header + '\n'.repeat(lines))
  const first = (lines: number, ratchet: Record<string, number>, header = ''): string =>
    lengthProblems([file(lines, header)], ratchet)[0] ?? ''
  assert.equal(first(300, {}), '')
  assert.match(first(301, {}), /has grown to 301 lines/)
  assert.equal(first(310, { 'src/x.ts': 310 }), '')
  assert.match(first(311, { 'src/x.ts': 310 }), /is recorded with 310/)
  assert.match(first(310, { 'src/x.ts': 340 }), /lower the record/)
  assert.match(first(200, { 'src/x.ts': 310 }), /take it out/)
  assert.match(first(500, { 'src/x.ts': 500 }), /at most 450/)
  assert.equal(
    first(500, { 'src/x.ts': 505 }, '/**\n * A format.\n *\n * Long on purpose: one format, read whole.\n */'),
    '',
  )
  assert.match(lengthProblems([], { 'src/y.ts': 400 })[0] ?? '', /does not exist/)
})

test('every test is named by a sentence and none is switched off without a reason', () => {
  const tests = sources.filter(
    ({ path }) => isTest(path) || path.startsWith('src/testing/') || path.startsWith('tools/'),
  )
  assertNone(tests.flatMap(testNameProblems))
  const problems = (text: string): number => testNameProblems(parseText('test/x.test.ts', text)).length
  for (const text of [
    "test('works', () => {})",
    "t.test('two words', () => {})",
    "test.only('a property that holds', () => {})",
    "test.skip('a property that holds', () => {})",
    "test('a property that holds', { skip: true }, () => {})",
    "test('a property that holds', { only: true }, () => {})",
    "test('a property that holds', { todo: 'later' }, () => {})",
    't.skip()',
  ]) {
    assert.equal(problems(text), 1, `not found: ${text}`)
  }
  for (const text of [
    "test('a property that holds', { skip: 'no compiler here' }, () => {})",
    "test('a property that holds', { skip: ready ? false : 'not ready' }, () => {})",
    'test(`${name}: a file`, () => {})',
    'test(`${name}: ${property}`, () => {})',
    "if (/x/.test('y')) t.skip('because')",
  ]) {
    assert.equal(problems(text), 0, `found, and should not be: ${text}`)
  }
})

test('no note to oneself is left behind', () => {
  const prose = texts.filter((path) => /\.(?:md|mjs|sh|yml|yaml)$|^\.ci\//.test(path))
  assertNone([...sources.flatMap(leftoverMarks), ...prose.flatMap((path) => leftoverMarksInText(path, readText(path)))])
  const mark = ['TO', 'DO'].join('')
  assert.equal(leftoverMarks(parseText('x.ts', `// ${mark}: later`)).length, 1)
  assert.equal(leftoverMarksInText('x.md', `one\n${mark} two\n`).length, 1)
})

test('no file holds a path of one machine or the address of a registry', () => {
  assertNone(texts.flatMap((path) => [...machinePaths(path, readText(path)), ...registryHosts(path, readText(path))]))
  assert.equal(machinePaths('x.md', `see ${['', 'root', 'x'].join('/')}`).length, 1)
  assert.equal(machinePaths('x.md', 'see https://example.org/home/page and src/work/x.ts').length, 0)
  assert.equal(registryHosts('.npmrc', ['registry', 'https://example.org'].join('=')).length, 1)
  assert.equal(registryHosts('x.json', ['{ "resolved"', '"https://example.org/x.tgz" }'].join(': ')).length, 1)
})

test('the lock file has every package for every platform, so that npm ci accepts it everywhere', () => {
  assertNone(missingFromLock(readJson('package-lock.json') as LockFile))
  assertNone(missingFromLock(readJson('bench/package-lock.json') as LockFile))
  const planted = {
    packages: {
      '': {},
      'node_modules/a': { optionalDependencies: { 'a-linux': '1', 'a-darwin': '1' } },
      'node_modules/a-linux': {},
    },
  }
  assert.equal(missingFromLock(planted).length, 1)
})

test('every file that code or prose cites exists', () => {
  const known = new Set(files)
  const citing = texts.filter((path) => /\.(?:ts|md)$/.test(path) && !path.startsWith('tools/'))
  assertNone(citing.flatMap((path) => deadCitations(path, readText(path), known)))
  assert.equal(deadCitations('x.ts', '// see docs/formats/gone.md', known).length, 1)
  assert.equal(deadCitations('x.ts', '// see tools/layers.json', known).length, 0)
})

test('the links of a manual that is packed lead to what is packed', () => {
  const roots = ['README.md', 'LICENSE', 'package.json', ...readManifest().files]
  const packed = (path: string): boolean => roots.some((root) => path === root || path.startsWith(`${root}/`))
  assert.ok(packed('docs/level.md') && packed('README.md') && !packed('bench/README.md') && !packed('docs.md'))
  const linking = manuals.filter(({ path }) => packed(path))
  assert.ok(linking.length > 0, 'no Markdown files are packed')
  assertNone(markdownProblems(linking, (path) => packed(path) && existsSync(join(ROOT, path))))
})

test('every manual has one title, and its links lead somewhere', () => {
  assert.ok(manuals.length > 0, 'no Markdown files found')
  assertNone(markdownProblems(manuals, (path) => existsSync(join(ROOT, path))))
  const problems = (text: string): number =>
    markdownProblems([parseMarkdown('docs/x.md', text)], (path) => path === 'docs/x.md').length
  assert.equal(problems('# One\n\n[a](#one) [b](https://example.org/)\n\n```sh\n# no title\n```\n'), 0)
  assert.equal(problems('no title\n'), 1)
  assert.equal(problems('# One\n# Two\n'), 1)
  assert.equal(problems('# One\n[a](gone.md)\n'), 1)
  assert.equal(problems('# One\n[a](#two)\n'), 1)
})
