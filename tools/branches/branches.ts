/**
 * The branches of compiled code: every way on from where it divides. A branch is covered when it was taken.
 *
 *      function         its body
 *      if, a ? b : c    both ways, also the else that is not written
 *      a && b, || , ??  the right side
 *      switch           every case
 *      for, while       the body
 *      try              the catch
 *
 * What is left out: default values of parameters, `?.` and `??=`, for which V8 does not count.
 */

import type { Node } from 'oxc-parser'
import { nameOf } from '../sometimes/places.ts'
import type { Place } from '../sometimes/places.ts'
import { childrenOf, parseText } from '../syntax.ts'

/** Of the code in a key. */
const KEY_LENGTH_MAX = 80

export interface Branch {
  /**
   * What it is, in which function, and where it divides: `fs/lock-file.js else in read: text === undefined`, with a number
   * from the second one on. Stays while code around it moves, and is gone when that itself is changed.
   */
  readonly key: string
  /** What is counted there is how often it was taken. */
  readonly at: Place
  /** Of the statement around it: what is written nowhere was taken as often as `whole` was and `at` was not. */
  readonly whole: Place | undefined
}

/** @param file below `build/src`; names the branches, with line and kind */
export function branchesOf(file: string, text: string): readonly Branch[] {
  const branches: Branch[] = []
  const keys = new Map<string, number>()
  const lines = lineStarts(text)
  const place = (kind: string, offset: number, node: Node): Place => {
    const line = lineOf(lines, node.start)
    return { id: `${file}:${line}:${node.start - (lines[line - 1] ?? 0) + 1} ${kind}`, file, offset }
  }
  const keyOf = (kind: string, divides: Node, within: string): string => {
    const limit = 'body' in divides && isNode(divides.body) ? divides.body.start : divides.end
    const key = `${file} ${kind} in ${within}: ${shortened(text.slice(divides.start, limit))}`
    const count = (keys.get(key) ?? 0) + 1
    keys.set(key, count)
    return count === 1 ? key : `${key} ${count}`
  }
  const visit = (node: Node, within: string): void => {
    if (isOfCompiler(node)) return
    const add = (kind: string, inside: Node, divides: Node): void => {
      const key = keyOf(kind, divides, within)
      branches.push({ key, at: place(kind, insideOf(inside), inside), whole: undefined })
    }
    switch (node.type) {
      case 'FunctionDeclaration':
      case 'FunctionExpression':
      case 'ArrowFunctionExpression':
        if (node.body !== null && node.body !== undefined) add('function', node.body, node)
        break
      case 'IfStatement':
        add('if', node.consequent, node.test)
        if (node.alternate !== null && node.alternate !== undefined) add('else', node.alternate, node.test)
        else {
          const whole = place('else', node.start, node)
          const key = keyOf('else', node.test, within)
          branches.push({ key, at: { ...whole, offset: insideOf(node.consequent) }, whole })
        }
        break
      case 'ConditionalExpression':
        add('?', node.consequent, node.test)
        add(':', node.alternate, node.test)
        break
      case 'LogicalExpression':
        add(node.operator, node.right, node)
        break
      case 'SwitchCase':
        if (node.consequent[0] !== undefined) add('case', node.consequent[0], node)
        break
      case 'ForStatement':
      case 'ForOfStatement':
      case 'WhileStatement':
        add('loop', node.body, node)
        break
      case 'CatchClause':
        add('catch', node.body, node)
        break
      default:
    }
    const name = nameOf(node)
    for (const child of childrenOf(node)) visit(child, name ?? within)
  }
  visit(parseText(file, text).program, 'the module')
  return branches
}

/** A function that TypeScript puts before the code of a module, which is not ours to test. */
function isOfCompiler(node: Node): boolean {
  return node.type === 'VariableDeclarator' && node.id.type === 'Identifier' && node.id.name.startsWith('__rewrite')
}

function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && 'start' in value
}

/** On one line, and only as much of it as tells it from others. */
function shortened(text: string): string {
  const line = text.replace(/\s+/g, ' ').trim()
  return line.length > KEY_LENGTH_MAX ? `${line.slice(0, KEY_LENGTH_MAX)}…` : line
}

/** In a block just behind its brace: the brace itself still counts as what is around it. */
function insideOf(node: Node): number {
  return node.type === 'BlockStatement' ? node.start + 1 : node.start
}

function lineStarts(text: string): readonly number[] {
  const starts = [0]
  for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) starts.push(at + 1)
  return starts
}

/** Counts from 1. */
function lineOf(starts: readonly number[], offset: number): number {
  let low = 0
  let high = starts.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((starts[middle] ?? Infinity) <= offset) low = middle + 1
    else high = middle
  }
  return low
}
