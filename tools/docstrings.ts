/**
 * Finds what users see of the public API without a word about it: names that a subpath exports, and their members.
 *
 * A member needs no comment where what it implements or extends has one, since editors show that, or where it overrides another; nor does what says
 * itself by its kind: a discriminant called `type`, a well-known symbol, a constructor of at most one parameter, which is
 * documented by its type. Blind spot: members of types that are not exported themselves.
 */

import type { Node } from 'oxc-parser'
import { declarationsOf } from './api-snapshot.ts'
import { ExportedNames, nameOf } from './exported-names.ts'
import type { Declared } from './exported-names.ts'
import { sourceOf } from './repository.ts'
import type { PackageManifest } from './repository.ts'
import { childrenOf, lineAt } from './syntax.ts'
import type { SourceFile } from './syntax.ts'

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

function undocumentedMembers(found: Declared, names: ExportedNames): readonly Node[] {
  const { file, declaration } = found
  const members = membersOf(declaration)
  const own = new Set(members.filter((member) => hasComment(file, member)).map(memberName))
  const inherited = documentedIn(file.path, parentsOf(declaration), names)
  return members.filter((member) => {
    const name = memberName(member)
    return isForUsers(member) && !startsMidLine(file, member) && !own.has(name) && !inherited.has(name)
  })
}

/** Members with a docstring, of the types of these names and of what those inherit. */
function documentedIn(
  path: string,
  parents: readonly string[],
  names: ExportedNames,
  seen = new Set<Node>(),
): ReadonlySet<string> {
  const members = new Set<string>()
  for (const found of parents.flatMap((parent) => names.find(path, parent))) {
    if (seen.has(found.declaration)) continue
    seen.add(found.declaration)
    for (const member of membersOf(found.declaration)) {
      if (hasComment(found.file, member)) members.add(memberName(member))
    }
    const above = documentedIn(found.file.path, parentsOf(found.declaration), names, seen)
    for (const name of above) members.add(name)
  }
  return members
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
