import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { textBlocks } from './text-blocks.ts'
import type { TextBlock } from './text-blocks.ts'

async function blocksOf(bytes: Uint8Array, cuts: readonly number[], lineBytesMax?: number): Promise<TextBlock[]> {
  const pieces = async function* (): AsyncGenerator<Uint8Array> {
    let start = 0
    for (const cut of [...cuts.map((each) => each % (bytes.length + 1)), bytes.length].sort((a, b) => a - b)) {
      if (cut > start) yield bytes.subarray(start, cut)
      start = cut
    }
  }
  const blocks: TextBlock[] = []
  for await (const block of textBlocks(pieces(), lineBytesMax)) blocks.push(block)
  return blocks
}

test('however bytes are cut into pieces, the blocks are the text, and each ends with a line', async () => {
  const text = fc.array(fc.constantFrom('a', 'é', '🪨', '\n', '\r\n', '\ufeff', '"'), { maxLength: 40 })
  await fc.assert(
    fc.asyncProperty(text, fc.array(fc.nat(), { maxLength: 6 }), async (characters, cuts) => {
      const expected = characters.join('')
      const bytes = Buffer.from(expected)
      const blocks = await blocksOf(bytes, cuts)
      assert.equal(blocks.map((block) => block.text).join(''), expected.replace(/^\ufeff/, ''))
      assert.equal(
        blocks.reduce((sum, block) => sum + block.bytes, 0),
        bytes.length,
      )
      for (const block of blocks.slice(0, -1)) assert.ok(block.text.endsWith('\n'))
      assert.ok(blocks.every(({ fault }) => fault === undefined))
    }),
    { numRuns: 500 },
  )
})

test('lines before one that is not UTF-8 are given, and its first wrong byte is named by its column', async () => {
  const bytes = Buffer.concat([Buffer.from('eins\nzwei é\nd🪨r'), Buffer.from([0xe9]), Buffer.from('i\nvier\n')])
  for (const cuts of [[], [3], [12, 17], Array.from({ length: 30 }, (_, index) => index)]) {
    const blocks = await blocksOf(bytes, cuts)
    assert.equal(blocks.map(({ text }) => text).join(''), 'eins\nzwei é\n')
    assert.deepEqual(blocks.at(-1)?.fault?.column, 4)
    assert.match(blocks.at(-1)?.fault?.reason ?? '', /0xe9 is not UTF-8/)
  }
})

test('a line that never ends is refused before it fills the memory', async () => {
  const blocks = await blocksOf(Buffer.from(`short\n${'x'.repeat(100)}`), [10, 20, 30, 40, 50, 60], 40)
  assert.deepEqual(
    blocks.map(({ text }) => text),
    ['short\n', ''],
  )
  assert.match(blocks.at(-1)?.fault?.reason ?? '', /longer than/)
})
