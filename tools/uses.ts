/**
 * What a file uses of the platform, as names: globals, members of globals, modules of Node, methods that hide a locale.
 *
 *      process.exit()            process, process.exit        import 'node:fs/promises'       node:fs
 *      new Date()                new Date()                   import { x } from 'node:y'      node:y, node:y#x
 *      globalThis.setTimeout     setTimeout                   a.localeCompare(b)              .localeCompare
 *      await import(x)           import()                     import * as y from 'node:y'     node:y, node:y#*
 *
 * Types are not uses. A name that the file declares anywhere is its own, not a global.
 */

import { isBuiltin } from 'node:module'
import type { Node } from 'oxc-parser'
import { childrenOf, lineAt, literalText, walk } from './syntax.ts'
import type { SourceFile } from './syntax.ts'

export interface Use {
  readonly name: string
  readonly line: number
}

export function usesOf(source: SourceFile): readonly Use[] {
  const uses: Use[] = []
  const own = declaredNames(source.program)
  const add = (node: Node, ...names: readonly string[]): void => {
    for (const name of names) uses.push({ name, line: lineAt(source, node.start) })
  }
  const addModule = (node: Node, specifier: string, names: readonly string[]): void => {
    const module = builtinOf(specifier)
    if (module !== undefined) add(node, module, ...names.map((name) => `${module}#${name}`))
  }

  const visit = (node: Node, parent: Node | undefined): void => {
    if (node.type === 'ImportDeclaration') {
      if (node.importKind !== 'type') addModule(node, node.source.value, node.specifiers.map(importedName))
      return
    }
    if (node.type === 'ExportAllDeclaration') return addModule(node, node.source.value, ['*'])
    if (node.type === 'ExportNamedDeclaration' && node.source !== null) {
      return addModule(
        node,
        node.source.value,
        node.specifiers.map(({ local }) => nameOf(local) ?? '*'),
      )
    }
    if (node.type === 'ImportExpression') {
      add(node, 'import()')
      addModule(node, literalText(node.source) ?? '', ['*'])
    } else if (node.type === 'MemberExpression') {
      const property = propertyOf(node)
      const object = node.object
      if (property !== undefined) add(node, `.${property}`)
      if (object.type === 'Identifier' && !own.has(object.name) && property !== undefined) {
        add(node, ...(object.name === 'globalThis' ? [property] : [object.name, `${object.name}.${property}`]))
        return
      }
    } else if (node.type === 'Identifier') {
      if (!own.has(node.name) && !isLabel(node, parent)) add(node, usedAs(node, parent))
      return
    }
    for (const child of childrenOf(node)) if (!isType(child)) visit(child, node)
  }
  visit(source.program, undefined)
  return uses
}

/** `node:fs/promises` and `fs` → `node:fs`. */
function builtinOf(specifier: string): string | undefined {
  if (!isBuiltin(specifier)) return undefined
  return `node:${specifier.replace(/^node:/, '').split('/')[0] ?? ''}`
}

function importedName(specifier: { readonly type: string; readonly imported?: Node }): string {
  return specifier.type === 'ImportSpecifier' && specifier.imported !== undefined
    ? (nameOf(specifier.imported) ?? '*')
    : '*'
}

function nameOf(node: Node): string | undefined {
  return node.type === 'Identifier' ? node.name : literalText(node)
}

function propertyOf(node: Node & { type: 'MemberExpression' }): string | undefined {
  if (node.computed) return literalText(node.property)
  return node.property.type === 'Identifier' ? node.property.name : undefined
}

/** `Date` by itself is a type's twin; what reads the clock is `new Date()`, `Date()` and `Date.now`. */
function usedAs(node: Node & { type: 'Identifier' }, parent: Node | undefined): string {
  const called = parent?.type === 'CallExpression' && parent.callee === node
  const constructed = parent?.type === 'NewExpression' && parent.callee === node && parent.arguments.length === 0
  if (node.name === 'Date' && called) return 'Date()'
  if (node.name === 'Date' && constructed) return 'new Date()'
  return node.name
}

/** An identifier that names a property, a label or the like, and refers to nothing. */
function isLabel(node: Node, parent: Node | undefined): boolean {
  if (parent === undefined) return false
  if ('key' in parent && parent.key === node) {
    const shorthand = parent.type === 'Property' && parent.shorthand
    return !('computed' in parent && parent.computed) && !shorthand
  }
  if (parent.type === 'MemberExpression') return parent.property === node && !parent.computed
  return /^(?:LabeledStatement|BreakStatement|ContinueStatement|ExportSpecifier|MetaProperty)$/.test(parent.type)
}

/** TypeScript's nodes, except those that wrap an expression. */
function isType(node: Node): boolean {
  if (!node.type.startsWith('TS')) return false
  return !/^TS(?:AsExpression|SatisfiesExpression|NonNullExpression|TypeAssertion|InstantiationExpression|ParameterProperty)$/.test(
    node.type,
  )
}

/** Every name the file binds: imports, variables, parameters, functions, classes. */
function declaredNames(program: Node): ReadonlySet<string> {
  const names = new Set<string>()
  const bind = (pattern: Node | null | undefined): void => {
    if (pattern === null || pattern === undefined) return
    if (pattern.type === 'Identifier') names.add(pattern.name)
    else if (pattern.type === 'AssignmentPattern') bind(pattern.left)
    else if (pattern.type === 'RestElement') bind(pattern.argument)
    else if (pattern.type === 'ArrayPattern') pattern.elements.forEach(bind)
    else if (pattern.type === 'ObjectPattern') {
      for (const property of pattern.properties) bind(property.type === 'Property' ? property.value : property)
    }
  }
  walk(program, (node) => {
    if (node.type === 'VariableDeclarator') bind(node.id)
    else if (node.type === 'CatchClause') bind(node.param)
    else if ('local' in node && node.type.startsWith('Import')) bind(node.local)
    else if ('params' in node && Array.isArray(node.params)) (node.params as readonly Node[]).forEach(bind)
    if ('id' in node && /^(?:Function|Class)/.test(node.type)) bind(node.id)
  })
  return names
}
