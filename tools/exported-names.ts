/**
 * Which names a module exports, and where each is declared, followed through imports and re-exports: in sources, and in
 * the declaration files that are built of them.
 */

import { posix } from 'node:path'
import type { Node } from 'oxc-parser'
import { literalText } from './syntax.ts'
import type { SourceFile } from './syntax.ts'

/** A declaration, and the statement that it is in: comments stand before that. */
export interface Declared {
  readonly file: SourceFile
  readonly statement: Node
  readonly declaration: Node
}

export class ExportedNames {
  readonly #files: ReadonlyMap<string, SourceFile>

  /** @param files by their paths; what is imported from others is not looked into */
  constructor(files: ReadonlyMap<string, SourceFile>) {
    this.#files = files
  }

  exportedBy(path: string): readonly string[] {
    const names: string[] = []
    for (const statement of this.#files.get(path)?.program.body ?? []) {
      if (statement.type === 'ExportNamedDeclaration') {
        if (statement.declaration !== null) names.push(...declaredNames(statement.declaration))
        for (const { exported } of statement.specifiers) names.push(nameOf(exported))
      } else if (statement.type === 'ExportAllDeclaration') {
        names.push(...this.exportedBy(targetOf(path, statement.source.value)))
      }
    }
    return names
  }

  /** Every declaration of `name` as the module at `path` knows it: overloads, and a type beside a value, are several. */
  find(path: string, name: string): readonly Declared[] {
    const file = this.#files.get(path)
    if (file === undefined) return []
    const found: Declared[] = []
    for (const statement of file.program.body) {
      const declaration = statement.type === 'ExportNamedDeclaration' ? (statement.declaration ?? statement) : statement
      if (declaredNames(declaration).includes(name)) found.push({ file, statement, declaration })
      if (statement.type === 'ExportNamedDeclaration') {
        for (const { local, exported } of statement.specifiers) {
          if (nameOf(exported) !== name) continue
          const source = statement.source?.value
          if (source !== undefined) found.push(...this.find(targetOf(path, source), nameOf(local)))
          else if (nameOf(local) !== name) found.push(...this.find(path, nameOf(local)))
        }
      } else if (statement.type === 'ImportDeclaration') {
        for (const specifier of statement.specifiers) {
          if (specifier.type === 'ImportSpecifier' && specifier.local.name === name)
            found.push(...this.find(targetOf(path, statement.source.value), nameOf(specifier.imported)))
        }
      } else if (statement.type === 'ExportAllDeclaration') {
        found.push(...this.find(targetOf(path, statement.source.value), name))
      }
    }
    return found
  }
}

function declaredNames(node: Node): readonly string[] {
  if (node.type === 'VariableDeclaration') return node.declarations.map(({ id }) => nameOf(id))
  return 'id' in node && node.id !== null && typeof node.id === 'object' ? [nameOf(node.id)] : []
}

export function nameOf(node: Node): string {
  return node.type === 'Identifier' || node.type === 'PrivateIdentifier' ? node.name : (literalText(node) ?? '')
}

/** Declaration files name the sources that they were made from. */
function targetOf(path: string, specifier: string): string {
  if (!specifier.startsWith('.')) return specifier
  const target = posix.join(posix.dirname(path), specifier)
  return path.endsWith('.d.ts') ? target.replace(/(?:\.d)?\.ts$/, '.d.ts') : target
}
