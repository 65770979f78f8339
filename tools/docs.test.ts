/**
 * The examples in the documentation run.
 *
 * Every fence marked `ts run` or `js run` in README.md and docs is compiled against the built package, as a user's
 * strict project would, and executed in an empty directory. It passes when it exits with 0.
 */

import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { execPath } from 'node:process'
import { test } from 'node:test'
import { parseMarkdown } from './markdown.ts'
import type { Fence } from './markdown.ts'
import { ROOT, listFiles, readText } from './repository.ts'

/** In the repository, so that `varve` means this package: Node and the compiler look for the nearest package.json. */
const FOLDER = join(ROOT, 'build/docs-run')
const EXAMPLE_TIMEOUT_MS = 300_000

interface Example extends Fence {
  readonly path: string
  /** Without extension. */
  readonly name: string
}

const examples: readonly Example[] = listFiles()
  .filter((path) => path === 'README.md' || (path.startsWith('docs/') && path.endsWith('.md')))
  .flatMap((path) =>
    parseMarkdown(path, readText(path))
      .fences.filter(({ info }) => info === 'ts run' || info === 'js run')
      .map((fence) => ({ ...fence, path, name: `${path.replace(/\.md$/, '').replaceAll('/', '-')}-${fence.line}` })),
  )

const readme = existsSync(join(ROOT, 'README.md'))

test('the README has an example that runs', { skip: readme ? false : 'there is no README.md yet' }, () => {
  assert.ok(
    examples.some(({ path }) => path === 'README.md'),
    'no fence in README.md is marked `ts run` or `js run`',
  )
})

test(
  'every example in the documentation compiles and runs',
  { skip: examples.length > 0 ? false : 'no example is marked `run`' },
  async (context) => {
    compile()
    for (const example of examples) {
      await context.test(`the example at ${example.path}:${example.line} exits with 0`, () => {
        const directory = mkdtempSync(join(tmpdir(), 'varve-docs-'))
        try {
          const child = spawnSync(execPath, [join(FOLDER, 'out', `${example.name}.js`)], {
            cwd: directory,
            encoding: 'utf8',
            timeout: EXAMPLE_TIMEOUT_MS,
          })
          assert.equal(child.status, 0, `${child.stdout}\n${child.stderr}\n${child.signal ?? ''}`)
        } finally {
          rmSync(directory, { recursive: true, force: true })
        }
      })
    }
  },
)

function compile(): void {
  rmSync(FOLDER, { recursive: true, force: true })
  mkdirSync(FOLDER, { recursive: true })
  for (const { name, info, text } of examples) writeFileSync(join(FOLDER, `${name}.${info.slice(0, 2)}`), text)
  const configuration = {
    compilerOptions: {
      strict: true,
      exactOptionalPropertyTypes: true,
      noUncheckedIndexedAccess: true,
      target: 'es2023',
      module: 'nodenext',
      types: ['node'],
      skipLibCheck: true,
      // An example is a module even where it imports nothing.
      moduleDetection: 'force',
      allowJs: true,
      rootDir: '.',
      outDir: 'out',
    },
    include: ['*.ts', '*.js'],
  }
  writeFileSync(join(FOLDER, 'tsconfig.json'), JSON.stringify(configuration))
  const child = spawnSync(execPath, [join(ROOT, 'node_modules/typescript/bin/tsc'), '-p', FOLDER], { encoding: 'utf8' })
  assert.equal(child.status, 0, `an example does not compile:\n${child.stdout}${child.stderr}`)
}
