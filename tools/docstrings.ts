/**
 * Finds what users see of the public API without a word about it: names that a subpath exports, and their members.
 *
 * A member needs no comment where what it implements or extends has one, since editors show that, or where it overrides another; nor does what says
 * itself by its kind: a discriminant called `type`, a well-known symbol, a constructor of at most one parameter, which is
 * documented by its type. Blind spot: members of types that are not exported themselves.
 */

import { posix } from 'node:path'
import type { Node } from 'oxc-parser'
import { declarationsOf } from './api-snapshot.ts'
import { sourceOf } from './repository.ts'
import type { PackageManifest } from './repository.ts'
import { childrenOf, lineAt, literalText } from './syntax.ts'
import type { SourceFile } from './syntax.ts'

/** A declaration, and the statement that it is in: comments stand before that. */
interface Declared {
  readonly file: SourceFile
  readonly statement: Node
  readonly declaration: Node
}

/** @param files by their paths; what is imported from others is not looked into */
export function undocumented(manifest: PackageManifest, files: ReadonlyMap<string, SourceFile>): readonly string[] {
  const names = new ExportedNames(files)
  const problems = new Set<string>()
  for (const entry of declarationsOf(manifest).values()) {
    const path = sourceOf(entry)
    for (const name of names.exportedBy(path)) {
      const found = names.find(path, name)
      if (found.length > 0 && !found.some(isDocumented)) problems.add(problemAt(found[0] as Declared, name))
      for (const each of found) {
        for (const member of undocumentedMembers(each, names)) problems.add(problemAt(each, name, member))
      }
    }
  }
  return [...problems]
}

function problemAt({ file, statement }: Declared, name: string, member?: Node): string {
  const what = member === undefined ? name : `${name}.${memberName(member)}`
  return `${file.path}:${lineAt(file, (member ?? statement).start)} ${what} has no docstring: what users should know of it`
}

/** Which names a module exports, and where each is declared, through re-exports. */
class ExportedNames {
  readonly #files: ReadonlyMap<string, SourceFile>

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

  /** Members with a docstring, of the types of these names and of what those inherit. */
  documentedIn(path: string, names: readonly string[], seen = new Set<Node>()): ReadonlySet<string> {
    const members = new Set<string>()
    for (const found of names.flatMap((name) => this.find(path, name))) {
      if (seen.has(found.declaration)) continue
      seen.add(found.declaration)
      for (const member of membersOf(found.declaration)) {
        if (hasComment(found.file, member)) members.add(memberName(member))
      }
      const above = this.documentedIn(found.file.path, parentsOf(found.declaration), seen)
      for (const name of above) members.add(name)
    }
    return members
  }
}

function undocumentedMembers(found: Declared, names: ExportedNames): readonly Node[] {
  const { file, declaration } = found
  const members = membersOf(declaration)
  const own = new Set(members.filter((member) => hasComment(file, member)).map(memberName))
  const inherited = names.documentedIn(file.path, parentsOf(declaration))
  return members.filter((member) => {
    const name = memberName(member)
    return isForUsers(member) && !startsMidLine(file, member) && !own.has(name) && !inherited.has(name)
  })
}

/** Also of the types that an alias puts together. */
function membersOf(declaration: Node): readonly Node[] {
  if (declaration.type === 'TSInterfaceDeclaration' || declaration.type === 'ClassDeclaration')
    return declaration.body.body
  return declaration.type === 'TSTypeAliasDeclaration' ? membersOfType(declaration.typeAnnotation) : []
}

function membersOfType(type: Node): readonly Node[] {
  if (type.type === 'TSTypeLiteral') return type.members
  const joined = ['TSUnionType', 'TSIntersectionType', 'TSParenthesizedType'].includes(type.type)
  return joined ? childrenOf(type).flatMap(membersOfType) : []
}

function parentsOf(declaration: Node): readonly string[] {
  if (declaration.type === 'TSInterfaceDeclaration')
    return declaration.extends.map(({ expression }) => nameOf(expression))
  if (declaration.type !== 'ClassDeclaration') return []
  const above = declaration.superClass === null ? [] : [nameOf(declaration.superClass)]
  return [...above, ...(declaration.implements ?? []).map(({ expression }) => nameOf(expression))]
}

function isForUsers(member: Node): boolean {
  if (member.type === 'StaticBlock' || !('key' in member) || memberName(member) === 'type') return false
  if (('computed' in member && member.computed) || ('override' in member && member.override)) return false
  if (member.key.type === 'PrivateIdentifier') return false
  if ('accessibility' in member && (member.accessibility === 'private' || member.accessibility === 'protected'))
    return false
  if (member.type !== 'MethodDefinition') return true
  return member.kind !== 'constructor' || member.value.params.length > 1
}

/** Of a union in one line: the comment before that says what it is. */
function startsMidLine(file: SourceFile, node: Node): boolean {
  return file.text.slice(file.text.lastIndexOf('\n', node.start) + 1, node.start).trim() !== ''
}

function isDocumented({ file, statement }: Declared): boolean {
  return hasComment(file, statement)
}

/** Only line comments may stand between. */
function hasComment(file: SourceFile, node: Node): boolean {
  const before = file.comments.findLast(
    (comment) => comment.type === 'Block' && comment.value.startsWith('*') && comment.end <= node.start,
  )
  return before !== undefined && /^(?:\s|\/\/[^\n]*)*$/.test(file.text.slice(before.end, node.start))
}

function memberName(member: Node): string {
  return 'key' in member ? nameOf(member.key) : member.type
}

function declaredNames(node: Node): readonly string[] {
  if (node.type === 'VariableDeclaration') return node.declarations.map(({ id }) => nameOf(id))
  return 'id' in node && node.id !== null && typeof node.id === 'object' ? [nameOf(node.id)] : []
}

function nameOf(node: Node): string {
  return node.type === 'Identifier' || node.type === 'PrivateIdentifier' ? node.name : (literalText(node) ?? '')
}

function targetOf(path: string, specifier: string): string {
  return specifier.startsWith('.') ? posix.join(posix.dirname(path), specifier) : specifier
}
