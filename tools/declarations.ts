/**
 * Reads built declaration files: what a module exports, followed through re-exports to where each name is declared.
 *
 * Comments are left out, so that only a change of the API changes the text. Blind spot: a type that is not exported
 * itself, but used by one that is, appears by name only.
 */

import { existsSync, readFileSync } from 'node:fs'
import { join, posix } from 'node:path'
import type { Node } from 'oxc-parser'
import { literalText, parseText } from './syntax.ts'
import type { SourceFile } from './syntax.ts'

export class DeclarationReader {
  readonly #root: string
  readonly #files = new Map<string, SourceFile>()
  /** Entry → exports; a placeholder while it is being read, so that rings end. */
  readonly #exports = new Map<string, ReadonlyMap<string, string>>()

  constructor(root: string) {
    this.#root = root
  }

  /** Exported name → normalised declaration. */
  exportsOf(path: string): ReadonlyMap<string, string> {
    const known = this.#exports.get(path)
    if (known !== undefined) return known
    const found = new Map<string, string>()
    this.#exports.set(path, found)
    const file = this.#read(path)
    for (const statement of file.program.body) {
      if (statement.type === 'ExportAllDeclaration') {
        this.#addAll(found, path, statement)
      } else if (statement.type === 'ExportNamedDeclaration') {
        for (const name of statement.declaration === null ? [] : declaredNames(statement.declaration)) {
          found.set(name, append(found.get(name), normalise(file, statement)))
        }
        for (const { local, exported } of statement.specifiers) {
          const [from, to] = [nameOf(local), nameOf(exported)]
          found.set(
            to,
            statement.source === null ? this.#resolve(file, from) : this.#lookUp(path, statement.source.value, from),
          )
        }
      } else if (statement.type === 'ExportDefaultDeclaration') {
        found.set('default', normalise(file, statement))
      }
    }
    return found
  }

  #addAll(found: Map<string, string>, path: string, statement: Node & { type: 'ExportAllDeclaration' }): void {
    const specifier = statement.source.value
    const target = this.#locate(path, specifier)
    if (statement.exported !== null) found.set(nameOf(statement.exported), `export * from '${specifier}'`)
    else if (target === undefined) found.set(`* from ${specifier}`, `export * from '${specifier}'`)
    else for (const [name, text] of this.exportsOf(target)) if (name !== 'default') found.set(name, text)
  }

  /** The declaration of `name`, exported by the module that `path` knows as `specifier`. */
  #lookUp(path: string, specifier: string, name: string): string {
    const target = this.#locate(path, specifier)
    if (target === undefined) return `export { ${name} } from '${specifier}'`
    const text = this.exportsOf(target).get(name)
    if (text === undefined) throw new Error(`${target} does not export ${name}, which ${path} re-exports`)
    return text
  }

  /** The declaration of the local name `name`, which may have been imported. */
  #resolve(file: SourceFile, name: string): string {
    let text: string | undefined
    for (const statement of file.program.body) {
      if (statement.type === 'ImportDeclaration') {
        for (const specifier of statement.specifiers) {
          if (specifier.local.name !== name) continue
          const imported = specifier.type === 'ImportSpecifier' ? nameOf(specifier.imported) : 'default'
          return this.#lookUp(file.path, statement.source.value, imported)
        }
      }
      const declaration = statement.type === 'ExportNamedDeclaration' ? statement.declaration : statement
      if (declaration !== null && declaredNames(declaration).includes(name))
        text = append(text, normalise(file, statement))
    }
    if (text === undefined) throw new Error(`${file.path} exports ${name} and does not declare it`)
    return text
  }

  /** Declaration files keep the `.ts` of the source they were made from. Undefined for packages. */
  #locate(path: string, specifier: string): string | undefined {
    if (!specifier.startsWith('.')) return undefined
    return posix.join(posix.dirname(path), specifier).replace(/(?:\.d)?\.ts$|\.js$/, '.d.ts')
  }

  #read(path: string): SourceFile {
    const known = this.#files.get(path)
    if (known !== undefined) return known
    const absolute = join(this.#root, path)
    if (!existsSync(absolute)) throw new Error(`${path} is not built; run npm run build`)
    const file = parseText(path, readFileSync(absolute, 'utf8'))
    this.#files.set(path, file)
    return file
  }
}

function nameOf(node: Node): string {
  return node.type === 'Identifier' ? node.name : (literalText(node) ?? '')
}

function declaredNames(node: Node): readonly string[] {
  if (node.type === 'VariableDeclaration') return node.declarations.map(({ id }) => nameOf(id))
  if ('id' in node && node.id !== null && typeof node.id === 'object') return [nameOf(node.id)]
  return []
}

/** Overloads, and a type beside a value, share a name. */
function append(earlier: string | undefined, text: string): string {
  return earlier === undefined ? text : `${earlier}\n${text}`
}

/** The text of one statement, without comments, blank lines, and what only the compiler needs. */
function normalise(file: SourceFile, statement: Node): string {
  let text = ''
  let at = statement.start
  for (const comment of file.comments) {
    if (comment.start < at || comment.end > statement.end) continue
    text += file.text.slice(at, comment.start)
    at = comment.end
  }
  text += file.text.slice(at, statement.end)
  return text
    .split('\n')
    .map((line) => line.trimEnd())
    .filter((line) => line !== '')
    .join('\n')
    .replace(/^export declare /, 'export ')
}
