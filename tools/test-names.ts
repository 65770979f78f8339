/** How tests are declared: named by the property that holds, none skipped without a reason, none run alone. */

import type { Node } from 'oxc-parser'
import { childrenOf, lineAt, walk } from './syntax.ts'
import type { SourceFile } from './syntax.ts'

const WORDS_MIN = 3

export function testNameProblems(source: SourceFile): readonly string[] {
  const problems: string[] = []
  walk(source.program, (node) => {
    if (node.type !== 'CallExpression') return
    const where = `${source.path}:${lineAt(source, node.start)}`
    const { callee } = node
    if (
      callee.type === 'MemberExpression' &&
      callee.object.type === 'Identifier' &&
      callee.property.type === 'Identifier'
    ) {
      const name = `${callee.object.name}.${callee.property.name}`
      if (/^(?:test|it|describe|suite)\.(?:only|skip|todo)$/.test(name)) {
        problems.push(`${where}: ${name} gives no reason; write { skip: 'reason' }, or repair the test`)
      }
      if (/^(?:t|context)\.(?:skip|todo)$/.test(name) && node.arguments.length === 0)
        problems.push(`${where}: ${name} gives no reason`)
    }
    if (!declaresTest(node)) return
    const name = nameOf(node.arguments[0])
    if (name !== undefined && name.trim().split(/\s+/).length < WORDS_MIN) {
      problems.push(`${where}: '${name}' says no property; name the test by what must hold, as a sentence`)
    }
    for (const problem of optionProblems(node.arguments[1])) problems.push(`${where}: ${problem}`)
  })
  return problems
}

/** `test(name, …)`, `it(name, …)` and `t.test(name, …)`; not `/pattern/.test(text)`. */
function declaresTest(node: Node & { type: 'CallExpression' }): boolean {
  const { callee } = node
  if (node.arguments.length < 2) return false
  if (callee.type === 'Identifier') return callee.name === 'test' || callee.name === 'it'
  return callee.type === 'MemberExpression' && callee.property.type === 'Identifier' && callee.property.name === 'test'
}

/** The name, with a word in place of a template's hole; undefined where it is computed, as two holes are. */
function nameOf(node: Node | undefined): string | undefined {
  if (node?.type === 'Literal') return String(node.value)
  if (node?.type !== 'TemplateLiteral' || node.quasis.length > 2) return undefined
  return node.quasis.map(({ value }) => value.raw).join('…')
}

function optionProblems(options: Node | undefined): readonly string[] {
  if (options?.type !== 'ObjectExpression') return []
  const problems: string[] = []
  for (const property of childrenOf(options)) {
    if (property.type !== 'Property' || property.key.type !== 'Identifier') continue
    const literal = property.value.type === 'Literal' ? property.value.value : undefined
    if (property.key.name === 'only' && literal !== false) problems.push('only leaves every other test out')
    if (property.key.name === 'todo') problems.push('a test that may fail is no test')
    if (property.key.name === 'skip' && literal === true)
      problems.push("skip: true gives no reason; write skip: 'reason'")
  }
  return problems
}
