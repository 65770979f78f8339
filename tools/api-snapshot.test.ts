import assert from 'node:assert/strict'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { declarationsOf, difference, snapshotName, snapshotText } from './api-snapshot.ts'
import { ROOT, readManifest, readText } from './repository.ts'

const UPDATE = 'if the change is meant, run npm run api:update, read the difference and note it in CHANGELOG.md'
const declarations = declarationsOf(readManifest())

test('what every subpath exports is what tools/api records', () => {
  assert.ok(existsSync(join(ROOT, 'tools/api')), 'there is no snapshot of the public API yet: run npm run api:update')
  const problems: string[] = []
  for (const [subpath, entry] of declarations) {
    const path = `tools/api/${snapshotName(subpath)}`
    if (!existsSync(join(ROOT, path))) problems.push(`${path} is missing`)
    else {
      const changes = difference(readText(path), snapshotText(ROOT, entry))
      if (changes !== '') problems.push(`${subpath} has changed:\n${changes}`)
    }
  }
  const expected = new Set([...declarations.keys()].map(snapshotName))
  for (const name of readdirSync(join(ROOT, 'tools/api'))) {
    if (!expected.has(name)) problems.push(`tools/api/${name} belongs to no subpath`)
  }
  assert.ok(problems.length === 0, `${problems.join('\n\n')}\n\n${UPDATE}`)
})

test('a snapshot follows re-exports to the declaration and leaves comments out', (context) => {
  const root = mkdtempSync(join(tmpdir(), 'varve-api-'))
  context.after(() => rmSync(root, { recursive: true, force: true }))
  mkdirSync(join(root, 'deep'))
  const files = {
    'index.d.ts': `
      import { middle } from './deep/a.ts'
      export { middle }
      export * from './deep/b.ts'
      export { type Shape as Form } from './deep/a.ts'
      export { thing } from 'elsewhere'
      export declare function twice(value: number): number
      export declare function twice(value: string): string`,
    'deep/a.d.ts': `
      /** Said about Shape. */
      export interface Shape {
        // said about size
        readonly size: number
      }
      declare const middle: Shape
      export { middle }`,
    'deep/b.d.ts': `export declare class Box { #private; open(): void }`,
  }
  for (const [path, text] of Object.entries(files)) writeFileSync(join(root, path), text)
  const snapshot = snapshotText(root, 'index.d.ts').replace(/^ +/gm, '')
  assert.equal(
    snapshot,
    `// Box
export class Box { #private; open(): void }

// Form
export interface Shape {
readonly size: number
}

// middle
declare const middle: Shape

// thing
export { thing } from 'elsewhere'

// twice
export function twice(value: number): number
export function twice(value: string): string
`,
  )
})

test('a difference names what was added, removed and changed', () => {
  const recorded = '// a\nexport const a: number\n\n// b\nexport const b: number\n'
  const current = '// b\nexport const b: string\n\n// c\nexport const c: number\n'
  assert.equal(difference(recorded, recorded), '')
  assert.equal(
    difference(recorded, current),
    [
      'removed a',
      '  - export const a: number',
      'changed b',
      '  - export const b: number',
      '  + export const b: string',
      'added c',
      '  + export const c: number',
    ].join('\n'),
  )
})

test('every subpath has a snapshot of its own', () => {
  const names = [...declarations.keys()].map(snapshotName)
  assert.ok(names.length > 0, 'package.json exports nothing with types')
  assert.equal(new Set(names).size, names.length)
  assert.equal(snapshotName('./kv/jobs'), 'kv-jobs.txt')
  assert.equal(snapshotName('.'), 'index.txt')
})
