/**
 * The repository as the tools see it: where it is, which files it has, what is in them.
 *
 * Reads the folder, not git, so that the checks also hold for a file nobody has added yet and for an unpacked archive.
 */

import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** Absolute path of the repository. This module runs from `<root>/build/tools/`. */
export const ROOT = fileURLToPath(new URL('../../', import.meta.url))

/** At the top, or in bench, which is a package of its own: what is installed, built or left behind by a run; git's folder. */
const NOT_OURS = /^(?:bench\/)?(?:node_modules|\.git|dist|build[^/]*|coverage|results|\.varve-demo)$/

/** Every file of ours, relative to the root, `/` between names, sorted. */
export function listFiles(): readonly string[] {
  const files: string[] = []
  const visit = (folder: string): void => {
    for (const entry of readdirSync(join(ROOT, folder), { withFileTypes: true })) {
      const path = folder === '' ? entry.name : `${folder}/${entry.name}`
      if (NOT_OURS.test(path)) continue
      if (entry.isDirectory()) visit(path)
      else if (entry.isFile()) files.push(path)
    }
  }
  visit('')
  return files.sort()
}

export function readText(path: string): string {
  return readFileSync(join(ROOT, path), 'utf8')
}

export function readJson(path: string): unknown {
  return JSON.parse(readText(path))
}

/** Tests: unit tests beside their subject, whole-system tests, and those that need more than Node (`x.extra.ts`). */
export function isTest(path: string): boolean {
  return /\.(?:test|extra)\.ts$/.test(path) || path.startsWith('test/')
}

/** Code that is published. */
export function isSource(path: string): boolean {
  return path.startsWith('src/') && path.endsWith('.ts') && !isTest(path)
}

export interface PackageManifest {
  readonly name: string
  readonly bin: Readonly<Record<string, string>>
  readonly files: readonly string[]
  readonly exports: Readonly<Record<string, string | { readonly types: string; readonly default: string }>>
  readonly scripts: Readonly<Record<string, string>>
  readonly dependencies: Readonly<Record<string, string>>
  readonly peerDependencies?: Readonly<Record<string, string>>
  readonly optionalDependencies?: Readonly<Record<string, string>>
}

export function readManifest(): PackageManifest {
  return readJson('package.json') as PackageManifest
}

/** `dist/fs/index.js` or `./dist/fs/index.d.ts` → `src/fs/index.ts`. */
export function sourceOf(built: string): string {
  return built
    .replace(/^\.\//, '')
    .replace(/^dist\//, 'src/')
    .replace(/(?:\.d\.ts|\.js)$/, '.ts')
}
