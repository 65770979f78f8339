/** What a file imports, in every way a file can: statements, re-exports, `import()`, types, `require`, worker URLs. */

import { posix } from 'node:path'
import type { Node } from 'oxc-parser'
import { lineAt, literalText, walk } from './syntax.ts'
import type { SourceFile } from './syntax.ts'

export interface ImportReference {
  /** As written; undefined where it is computed. */
  readonly specifier: string | undefined
  readonly kind: 'static' | 'type' | 'dynamic' | 'url'
  readonly line: number
}

export function importsOf(source: SourceFile): readonly ImportReference[] {
  const found: ImportReference[] = []
  const add = (node: Node, specifier: string | undefined, kind: ImportReference['kind']): void => {
    found.push({ specifier, kind, line: lineAt(source, node.start) })
  }
  walk(source.program, (node) => {
    switch (node.type) {
      case 'ImportDeclaration':
        add(node, node.source.value, node.importKind === 'type' ? 'type' : 'static')
        break
      case 'ExportAllDeclaration':
        add(node, node.source.value, node.exportKind === 'type' ? 'type' : 'static')
        break
      case 'ExportNamedDeclaration':
        if (node.source !== null) add(node, node.source.value, node.exportKind === 'type' ? 'type' : 'static')
        break
      case 'TSImportType':
        add(node, node.source.value, 'type')
        break
      case 'TSExternalModuleReference':
        add(node, node.expression.value, 'static')
        break
      case 'ImportExpression':
        add(node, literalText(node.source), 'dynamic')
        break
      case 'CallExpression':
        if (isRequire(node.callee)) add(node, literalText(node.arguments[0]), 'dynamic')
        break
      case 'NewExpression': {
        // `new URL('./worker.js', import.meta.url)`: how a worker's entry is found.
        const target = literalText(node.arguments[0])
        const named = node.callee.type === 'Identifier' && node.callee.name === 'URL' && node.arguments.length === 2
        if (named && target !== undefined && /^\.{1,2}\/.*\.[jt]s$/.test(target)) add(node, target, 'url')
        break
      }
      default:
    }
  })
  return found
}

/** `require(…)`, `require.resolve(…)` and `import.meta.resolve(…)`. */
function isRequire(callee: Node): boolean {
  if (callee.type === 'Identifier') return callee.name === 'require'
  if (callee.type !== 'MemberExpression' || callee.property.type !== 'Identifier') return false
  if (callee.property.name !== 'resolve') return false
  return (
    callee.object.type === 'MetaProperty' || (callee.object.type === 'Identifier' && callee.object.name === 'require')
  )
}

/** Path of the file a relative specifier in `path` means, or undefined for a package. Built names become source names. */
export function resolveImport(path: string, specifier: string): string | undefined {
  if (!specifier.startsWith('.')) return undefined
  return posix.join(posix.dirname(path), specifier).replace(/\.js$/, '.ts')
}

/** `@scope/name/sub` → `@scope/name`; undefined for relative specifiers and modules of Node. */
export function packageOf(specifier: string): string | undefined {
  if (specifier.startsWith('.') || specifier.startsWith('node:')) return undefined
  return specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/')
}
