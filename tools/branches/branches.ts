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
import type { Place } from '../sometimes/places.ts'
import { childrenOf, parseText } from '../syntax.ts'

export interface Branch {
  /** What is counted there is how often it was taken. */
  readonly at: Place
  /** Of the statement around it: what is written nowhere was taken as often as `whole` was and `at` was not. */
  readonly whole: Place | undefined
}

/** @param file below `build/src`; names the branches, with line and kind */
export function branchesOf(file: string, text: string): readonly Branch[] {
  const branches: Branch[] = []
  const lines = lineStarts(text)
  const place = (kind: string, offset: number, node: Node): Place => {
    const line = lineOf(lines, node.start)
    return { id: `${file}:${line}:${node.start - (lines[line - 1] ?? 0) + 1} ${kind}`, file, offset }
  }
  const add = (kind: string, within: Node): void => {
    branches.push({ at: place(kind, insideOf(within), within), whole: undefined })
  }
  const visit = (node: Node): void => {
    switch (node.type) {
      case 'FunctionDeclaration':
      case 'FunctionExpression':
      case 'ArrowFunctionExpression':
        if (node.body !== null && node.body !== undefined) add('function', node.body)
        break
      case 'IfStatement':
        add('if', node.consequent)
        if (node.alternate !== null && node.alternate !== undefined) add('else', node.alternate)
        else {
          const whole = place('else', node.start, node)
          branches.push({ at: { ...whole, offset: insideOf(node.consequent) }, whole })
        }
        break
      case 'ConditionalExpression':
        add('?', node.consequent)
        add(':', node.alternate)
        break
      case 'LogicalExpression':
        add(node.operator, node.right)
        break
      case 'SwitchCase':
        if (node.consequent[0] !== undefined) add('case', node.consequent[0])
        break
      case 'ForStatement':
      case 'ForOfStatement':
      case 'WhileStatement':
        add('loop', node.body)
        break
      case 'CatchClause':
        add('catch', node.body)
        break
      default:
    }
    for (const child of childrenOf(node)) visit(child)
  }
  visit(parseText(file, text).program)
  return branches
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
