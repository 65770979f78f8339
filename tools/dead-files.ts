/**
 * Files nothing leads to.
 *
 * Published code must be reached from an entry point of package.json: a file that only its own test imports is dead.
 * Helpers of tests and tools must be reached from a test or from a script of package.json.
 */

import { importsOf, resolveImport } from './imports.ts'
import { isSource, sourceOf } from './repository.ts'
import type { PackageManifest } from './repository.ts'
import type { SourceFile } from './syntax.ts'

/** What bench/start.mjs starts, and what that starts for each peer. */
const BENCH_ENTRIES = [
  'bench/main.ts',
  'bench/peer-process.ts',
  'bench/corruption/main.ts',
  'bench/corruption/examiner.ts',
]

export function deadFiles(sources: readonly SourceFile[], manifest: PackageManifest): readonly string[] {
  const targets = new Map(sources.map((source) => [source.path, targetsOf(source)]))
  const published = reach(targets, publicEntries(manifest).map(sourceOf))
  const tests = sources.map(({ path }) => path).filter((path) => /\.(?:test|extra)\.ts$/.test(path))
  const everything = reach(targets, [...published, ...tests, ...scriptEntries(manifest), ...BENCH_ENTRIES])

  const problems: string[] = []
  for (const { path } of sources) {
    if (isSource(path) && !published.has(path)) {
      problems.push(
        `${path} is not reached from exports or bin of package.json${everything.has(path) ? ', only from tests' : ''}`,
      )
    } else if (!everything.has(path)) problems.push(`${path} is not reached from a test or a script of package.json`)
  }
  return problems
}

/** Built files that package.json names: `./dist/x.js`. */
export function publicEntries(manifest: PackageManifest): readonly string[] {
  const exported = Object.values(manifest.exports).map((entry) => (typeof entry === 'string' ? entry : entry.default))
  return [...exported, ...Object.values(manifest.bin)].filter((path) => path.endsWith('.js'))
}

/** `node build/tools/x.js` in a script → `tools/x.ts`. */
function scriptEntries(manifest: PackageManifest): readonly string[] {
  const text = Object.values(manifest.scripts).join('\n')
  return [...text.matchAll(/\bbuild\/(\S+)\.js\b/g)].map(([, stem]) => `${stem}.ts`)
}

function targetsOf(source: SourceFile): readonly string[] {
  return importsOf(source)
    .map(({ specifier }) => (specifier === undefined ? undefined : resolveImport(source.path, specifier)))
    .filter((target) => target !== undefined)
}

function reach(targets: ReadonlyMap<string, readonly string[]>, entries: readonly string[]): Set<string> {
  const reached = new Set<string>()
  const pending = [...entries]
  for (let path = pending.pop(); path !== undefined; path = pending.pop()) {
    if (reached.has(path) || !targets.has(path)) continue
    reached.add(path)
    pending.push(...(targets.get(path) ?? []))
  }
  return reached
}
