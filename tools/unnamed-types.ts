/**
 * Finds types that users meet and cannot name: a signature of an exported name speaks of them, and no subpath exports
 * them. Read from the built declarations, where inferred types are written out.
 *
 * Left out is what is not for users: private and protected members, a constructor whose docstring says what to use instead
 * (it begins with "Use"), and a class of which only the type is exported cannot be constructed at all. Nor has a base class
 * to be named: its members count as those of the class that extends it.
 */

import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Node } from 'oxc-parser'
import { declarationsOf } from './api-snapshot.ts'
import { ExportedNames, nameOf } from './exported-names.ts'
import type { Declared } from './exported-names.ts'
import type { PackageManifest } from './repository.ts'
import { parseText, walk } from './syntax.ts'
import type { SourceFile } from './syntax.ts'

/** Every declaration file below `folder`, by its path from `root`. */
export function builtDeclarations(root: string, folder: string): ReadonlyMap<string, SourceFile> {
  const files = new Map<string, SourceFile>()
  for (const name of readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' }).sort()) {
    const path = `${folder}/${name.replaceAll('\\', '/')}`
    if (path.endsWith('.d.ts')) files.set(path, parseText(path, readFileSync(join(root, path), 'utf8')))
  }
  return files
}

/** @param files the declarations, by the paths that `manifest` has them under */
export function unnamedTypes(manifest: PackageManifest, files: ReadonlyMap<string, SourceFile>): readonly string[] {
  const names = new ExportedNames(files)
  const entries = [...declarationsOf(manifest)]
  const exported = new Set<Node>()
  for (const [, path] of entries) {
    for (const name of names.exportedBy(path))
      for (const { declaration } of names.find(path, name)) exported.add(declaration)
  }
  const problems = new Set<string>()
  for (const [subpath, path] of entries) {
    for (const name of names.exportedBy(path)) {
      const made = !isTypeOnly(files.get(path), name)
      for (const found of names.find(path, name)) {
        for (const { file, declaration } of named(found, made, names, exported)) {
          if (exported.has(declaration)) continue
          const type = 'id' in declaration && declaration.id !== null ? nameOf(declaration.id) : '?'
          problems.add(`${subpath}: ${name} speaks of ${type}, which no subpath exports (${file.path})`)
        }
      }
    }
  }
  return [...problems]
}

/**
 * Declarations of the types that a declaration names, without what is not for users.
 *
 * @param made users construct it
 */
function named(
  { file, declaration }: Declared,
  made: boolean,
  names: ExportedNames,
  exported: ReadonlySet<Node>,
): readonly Declared[] {
  const found: Declared[] = []
  const inherit = (name: string): void => {
    for (const above of names.find(file.path, name)) {
      if (!exported.has(above.declaration)) found.push(...named(above, false, names, exported))
    }
  }
  walk(declaration, (node) => {
    if ('accessibility' in node && (node.accessibility === 'private' || node.accessibility === 'protected'))
      return false
    if (node.type === 'MethodDefinition' && node.kind === 'constructor') return made && !saysUse(file, node)
    if (node.type === 'MethodDefinition' && node.static) return made
    if (node.type === 'ClassDeclaration' && node.superClass?.type === 'Identifier') inherit(node.superClass.name)
    if (node.type === 'TSInterfaceHeritage' && node.expression.type === 'Identifier') inherit(node.expression.name)
    // A base class that is a value of another type: only what it constructs is inherited.
    if (node.type === 'TSConstructorType' && !made) {
      walk(node.returnType, (part) => {
        if (part.type === 'TSTypeReference' && part.typeName.type === 'Identifier') inherit(part.typeName.name)
      })
      return false
    }
    if (node.type === 'TSTypeReference' && node.typeName.type === 'Identifier')
      found.push(...names.find(file.path, node.typeName.name))
    return undefined
  })
  return found
}

function isTypeOnly(file: SourceFile | undefined, name: string): boolean {
  return (file?.program.body ?? []).some(
    (statement) =>
      statement.type === 'ExportNamedDeclaration' &&
      statement.specifiers.some(
        ({ exported, exportKind }) =>
          nameOf(exported) === name && (statement.exportKind === 'type' || exportKind === 'type'),
      ),
  )
}

/** The comment before it begins with "Use". */
function saysUse(file: SourceFile, node: Node): boolean {
  const before = file.comments.findLast(({ end }) => end <= node.start)
  return (
    before !== undefined && /^\*\s*Use `/.test(before.value) && file.text.slice(before.end, node.start).trim() === ''
  )
}
