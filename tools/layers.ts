/** Which part of `src` may import which: the rules of layers.json, applied to one file. */

import { isTest, readJson } from './repository.ts'
import { importsOf, packageOf, resolveImport } from './imports.ts'
import type { SourceFile } from './syntax.ts'

export interface Layers {
  /** Part → parts it may import. */
  readonly parts: Readonly<Record<string, readonly string[]>>
  /** Parts that put components together. */
  readonly composers: readonly string[]
  /** Parts that only composers may import. */
  readonly composersOnly: readonly string[]
  /** What tests may import besides. */
  readonly tests: { readonly parts: readonly string[] }
  /** Part → package → reason. */
  readonly packages: Readonly<Record<string, Readonly<Record<string, string>>>>
}

export function readLayers(): Layers {
  return readJson('tools/layers.json') as Layers
}

/** The part a file under `src` belongs to: its longest leading path that is one, or undefined. */
export function partOf(path: string, layers: Layers): string | undefined {
  const names = path
    .replace(/^src\//, '')
    .replace(/(?:\.test|\.extra)?\.ts$/, '')
    .split('/')
  for (let length = names.length; length > 0; length--) {
    const part = names.slice(0, length).join('/')
    if (Object.hasOwn(layers.parts, part)) return part
  }
  return undefined
}

/** What is wrong with the imports of one file under `src`, as sentences with path and line. */
export function layerProblems(source: SourceFile, layers: Layers): readonly string[] {
  const problems: string[] = []
  const part = partOf(source.path, layers)
  if (part === undefined)
    return [`${source.path} belongs to no part; put it into a folder or name it in tools/layers.json`]
  const testing = isTest(source.path)
  const allowed = new Set([part, ...(layers.parts[part] ?? []), ...(testing ? layers.tests.parts : [])])

  for (const { specifier, line } of importsOf(source)) {
    const where = `${source.path}:${line}`
    if (specifier === undefined) continue // computed: tidy decides who may
    const target = resolveImport(source.path, specifier)
    if (target === undefined) {
      const problem = packageProblem(specifier, part, testing, layers)
      if (problem !== undefined) problems.push(`${where}: ${problem}`)
      continue
    }
    if (testing && target.startsWith('test/')) continue // what several tests share may compose
    if (!target.startsWith('src/')) {
      problems.push(`${where}: ${specifier} is outside src`)
      continue
    }
    if (/(?:^|\/)index\.ts$/.test(target)) {
      problems.push(`${where}: imports ${specifier}; index.ts is for users, import the file that declares the name`)
    }
    const targetPart = partOf(target, layers)
    if (targetPart === undefined) problems.push(`${where}: ${target} belongs to no part of tools/layers.json`)
    else if (!allowed.has(targetPart)) problems.push(`${where}: ${part} must not import ${targetPart} (${specifier})`)
  }
  return problems
}

function packageProblem(specifier: string, part: string, testing: boolean, layers: Layers): string | undefined {
  if (testing) return undefined
  const name = packageOf(specifier)
  if (name === undefined) {
    if (part !== 'kernel' || Object.hasOwn(layers.packages['kernel'] ?? {}, specifier)) return undefined
    return `kernel must not import ${specifier}: it does no I/O and knows no platform`
  }
  if (Object.hasOwn(layers.packages[part] ?? {}, name)) return undefined
  return `${part} must not import the package ${name}; a reason in tools/layers.json would allow it`
}

/** A ring of parts that may import each other in a circle, as text, or undefined. */
export function findRing(edges: Readonly<Record<string, readonly string[]>>): string | undefined {
  const done = new Set<string>()
  const path: string[] = []
  const visit = (name: string): string | undefined => {
    if (done.has(name)) return undefined
    const start = path.indexOf(name)
    if (start !== -1) return [...path.slice(start), name].join(' → ')
    path.push(name)
    for (const next of edges[name] ?? []) {
      const ring = visit(next)
      if (ring !== undefined) return ring
    }
    path.pop()
    done.add(name)
    return undefined
  }
  for (const name of Object.keys(edges)) {
    const ring = visit(name)
    if (ring !== undefined) return ring
  }
  return undefined
}
