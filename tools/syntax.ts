/**
 * One parsed TypeScript file, and a walk over its tree.
 *
 * The tree is ESTree with TypeScript's nodes, as oxc-parser makes it; `visitorKeys` says which fields hold children.
 */

import { parseSync, visitorKeys } from 'oxc-parser'
import type { Comment, Node, Program } from 'oxc-parser'
import { readText } from './repository.ts'

export interface SourceFile {
  /** Relative to the root. */
  readonly path: string
  readonly text: string
  readonly program: Program
  readonly comments: readonly Comment[]
}

/** @throws {SyntaxError} the text does not parse; naming path and first mistake */
export function parseText(path: string, text: string): SourceFile {
  const result = parseSync(path, text, { lang: path.endsWith('.d.ts') ? 'dts' : 'ts', sourceType: 'module' })
  const mistake = result.errors[0]
  if (mistake !== undefined) throw new SyntaxError(`${path}: ${mistake.message}`)
  return { path, text, program: result.program, comments: result.comments }
}

export function parseFile(path: string): SourceFile {
  return parseText(path, readText(path))
}

/** Counts from 1. */
export function lineAt(source: SourceFile, offset: number): number {
  let line = 1
  for (let at = source.text.indexOf('\n'); at !== -1 && at < offset; at = source.text.indexOf('\n', at + 1)) line++
  return line
}

/**
 * Calls `enter` for `node` and everything below it, parents first. Where `enter` returns `false`, what is below that
 * node is left out.
 */
export function walk(node: Node, enter: (node: Node, parent: Node | undefined) => boolean | void): void {
  const visit = (current: Node, parent: Node | undefined): void => {
    if (enter(current, parent) === false) return
    for (const child of childrenOf(current)) visit(child, current)
  }
  visit(node, undefined)
}

export function childrenOf(node: Node): readonly Node[] {
  const children: Node[] = []
  for (const key of visitorKeys[node.type] ?? []) {
    const value = (node as unknown as Record<string, unknown>)[key]
    for (const item of Array.isArray(value) ? (value as unknown[]) : [value]) {
      if (typeof item === 'object' && item !== null && 'type' in item) children.push(item as Node)
    }
  }
  return children
}

/** The text of a string literal or of a template without holes. */
export function literalText(node: Node | null | undefined): string | undefined {
  if (node?.type === 'Literal' && typeof node.value === 'string') return node.value
  if (node?.type === 'TemplateLiteral' && node.quasis.length === 1) return node.quasis[0]?.value.cooked ?? undefined
  return undefined
}
