/**
 * Places in the compiled code where something has gone wrong: every `catch`, and every `throw` of a VarveError. They are
 * the recovery branches, found by what they are and not by a list that somebody keeps; code says nothing of being counted.
 */

import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Node } from 'oxc-parser'
import { ROOT, readText } from '../repository.ts'
import { childrenOf, parseText } from '../syntax.ts'

export interface Place {
  /** File below `src`, what it is, and where: `journal/fence.js catch in read`, with a number from the second one on. */
  readonly id: string
  /** Below `build/src`. */
  readonly file: string
  /** In the text of the file: inside of what is executed there and nowhere else. */
  readonly offset: number
}

/** Of the folders below `src`, without what is in folders of theirs. */
export function placesIn(folders: readonly string[]): readonly Place[] {
  return folders.flatMap((folder) =>
    readdirSync(join(ROOT, 'build/src', folder))
      .filter((name) => name.endsWith('.js') && !/\.(test|extra)\.js$/.test(name))
      .sort()
      .flatMap((name) => placesOf(`${folder}/${name}`, readText(`build/src/${folder}/${name}`))),
  )
}

/** @param file names the places */
export function placesOf(file: string, text: string): readonly Place[] {
  const places: Place[] = []
  const counts = new Map<string, number>()
  const visit = (node: Node, within: string): void => {
    const what = kindOf(node, text)
    if (what !== undefined) {
      const id = `${file} ${what} in ${within}`
      const count = (counts.get(id) ?? 0) + 1
      counts.set(id, count)
      // Just inside of the block of a catch; a throw is a statement of a block of its own, or ends one.
      const offset = node.type === 'CatchClause' ? node.body.start + 1 : node.start
      places.push({ id: count === 1 ? id : `${id} ${count}`, file, offset })
    }
    const name = nameOf(node)
    for (const child of childrenOf(node)) visit(child, name ?? within)
  }
  visit(parseText(file, text).program, 'the module')
  return places
}

function kindOf(node: Node, text: string): string | undefined {
  if (node.type === 'CatchClause') return 'catch'
  if (node.type !== 'ThrowStatement') return undefined
  const code = /^throw new VarveError\(\s*'([A-Z_]+)'/.exec(text.slice(node.start, node.end))?.[1]
  return code === undefined ? undefined : `throw ${code}`
}

/** Of a function or method. */
export function nameOf(node: Node): string | undefined {
  if (node.type === 'FunctionDeclaration') return node.id?.name
  if (node.type !== 'MethodDefinition') return undefined
  const { key } = node
  return key.type === 'Identifier' || key.type === 'PrivateIdentifier' ? key.name : undefined
}
