/** The guide and the example are one text: what the guide shows is the example, and it shows all of it. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SHARD_DEFAULTS } from '../../src/shard/settings.ts'
import { parseMarkdown } from '../../tools/markdown.ts'
import { listFiles, readText } from '../../tools/repository.ts'

const GUIDE = 'docs/custom-engine.md'
const blocks = parseMarkdown(GUIDE, readText(GUIDE)).fences.filter(({ info }) => info === 'ts')
// Its tests are a folder of it: shown, but not to the last line.
const shown = listFiles().filter((path) => path.startsWith('examples/custom-engine/'))
const example = shown.filter((path) => !path.startsWith('examples/custom-engine/test/'))

/** Lines without their indentation, which an excerpt may lose, and without empty ones. */
function linesOf(text: string): readonly string[] {
  return text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '')
}

function isExcerpt(block: readonly string[], of: readonly string[]): boolean {
  return of.some((_, start) => block.every((line, index) => of[start + index] === line))
}

test('every TypeScript block of the guide is an excerpt of the example, word for word', () => {
  assert.ok(blocks.length > 20, 'the guide has its excerpts')
  const sources = shown.map((path) => linesOf(readText(path)))
  for (const { text, line } of blocks) {
    const found = sources.some((source) => isExcerpt(linesOf(text), source))
    assert.ok(found, `${GUIDE}:${line} is in none of ${shown.join(', ')}:\n${text}`)
  }
})

test('every line of the example is in the guide', () => {
  const excerpts = blocks.map(({ text }) => linesOf(text))
  for (const path of example) {
    const lines = linesOf(readText(path))
    const explained = new Set<number>()
    for (const excerpt of excerpts) {
      for (const start of lines.keys()) {
        if (excerpt.every((line, index) => lines[start + index] === line))
          for (const index of excerpt.keys()) explained.add(start + index)
      }
    }
    const missing = lines.filter((_, index) => !explained.has(index))
    assert.deepEqual(missing, [], `${path} has lines that the guide does not show`)
  }
})

test('the guide names every setting of a shard', () => {
  const text = readText(GUIDE)
  assert.deepEqual(
    Object.keys(SHARD_DEFAULTS).filter((name) => !text.includes(`\`${name}\``)),
    [],
  )
})

test('an excerpt that is one word off is found', () => {
  const source = ['const one = 1', 'const two = 2', 'const three = 3']
  assert.ok(isExcerpt(source.slice(1), source))
  assert.ok(!isExcerpt(['const two = 2', 'const four = 4'], source))
})
