/**
 * Opens damaged databases of one peer, reads all there is, and says what it found. A process of its own: damage may take
 * it down, or hold it for ever.
 *
 *      node examiner.js PEER     then messages { directory, content }
 */

import { argv } from 'node:process'
import { peerNamed } from '../peers/peer-table.ts'
import type { Store } from '../peers/peer.ts'
import { STORE_OPTIONS } from './specimen.ts'

/** `wrong`: an answer that is none, or another, without an error. */
export type Verdict = 'as before' | 'an error' | 'wrong'

export interface Examination {
  readonly directory: string
  readonly content: readonly (readonly [string, string])[]
}

const peer = peerNamed(argv[2] ?? '')

async function examine({ directory, content }: Examination): Promise<Verdict> {
  let failed = false
  let wrong = false
  const attempt = async (work: () => Promise<void>): Promise<void> => {
    try {
      await work()
    } catch {
      failed = true
    }
  }
  let opened: Store | undefined
  await attempt(async () => {
    opened = await peer.open(directory, STORE_OPTIONS)
  })
  const store = opened
  if (store === undefined) return 'an error'
  await attempt(async () => {
    let index = 0
    await store.scan({ reverse: false, limit: Infinity }, (key, value) => {
      const expected = content[index++]
      if (expected === undefined || textOf(key) !== expected[0] || textOf(value) !== expected[1]) wrong = true
      // A list that has become a circle has no end.
      if (index > content.length * 10) throw new Error('it goes on for ever')
    })
    if (index !== content.length) wrong = true
  })
  for (const [key, value] of content) {
    await attempt(async () => {
      const found = await store.get(Buffer.from(key))
      if (found === undefined || textOf(found) !== value) wrong = true
    })
  }
  await attempt(async () => {
    await store.close()
  })
  return wrong ? 'wrong' : failed ? 'an error' : 'as before'
}

function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1')
}

process.on('message', (examination: Examination) => {
  void examine(examination).then((verdict) => process.send?.(verdict))
})
