/** A page of the documentation, and the programs and commands that are printed in it. */

import assert from 'node:assert/strict'
import { parseMarkdown } from '../../tools/markdown.ts'
import type { Fence } from '../../tools/markdown.ts'
import { readText } from '../../tools/repository.ts'

/** What stands in a page, and what is there instead on this machine: addresses, folders. */
export type Exchange = Readonly<Record<string, string>>

export class PrintedPage {
  readonly #path: string
  readonly #fences: readonly Fence[]

  constructor(path: string) {
    this.#path = path
    this.#fences = parseMarkdown(path, readText(path)).fences
  }

  /** The one fence of a kind, `ts`, `sh` or `json`, that has these words. */
  fence(kind: string, words: string, exchange: Exchange = {}): string {
    const texts = this.#fences.filter(({ info }) => info === kind).map(({ text }) => text)
    return this.#oneOf(texts, words, exchange)
  }

  /** The one command that has these words, on one line, without the comment behind it. */
  command(words: string, exchange: Exchange = {}): string {
    const texts = this.#fences.filter(({ info }) => info === 'sh').map(({ text }) => text.replace(/\\\n\s*/g, ''))
    const lines = texts.flatMap((text) => text.split('\n')).map((line) => line.replace(/\s+# .*$/, ''))
    return this.#oneOf(lines, words, exchange)
  }

  #oneOf(texts: readonly string[], words: string, exchange: Exchange): string {
    const found = texts.filter((text) => text.includes(words))
    assert.equal(found.length, 1, `${this.#path} has ${found.length} examples with ${words}`)
    let text = found[0] ?? ''
    for (const [printed, here] of Object.entries(exchange)) {
      assert.ok(text.includes(printed), `${this.#path} does not say ${printed} beside ${words}`)
      text = text.replaceAll(printed, here)
    }
    return text
  }
}

/**
 * One module of several fences, and of what stands between them here: each inside the one before, so that a later one may
 * use its names, and may use a name again, as in "take the places of those above".
 */
export function programOf(...parts: readonly string[]): string {
  const isImport = /^import (?:[^;]*?) from '[^']+'$/gm
  const imports = new Set(parts.flatMap((part) => part.match(isImport) ?? []))
  const bodies = parts.map((part) => part.replace(isImport, ''))
  return `${mergedImports([...imports]).join('\n')}\n${bodies.join('\n{\n')}${'\n}'.repeat(bodies.length - 1)}\n`
}

/** A name that several fences import is imported once. */
function mergedImports(imports: readonly string[]): readonly string[] {
  const named = new Map<string, Set<string>>()
  const others: string[] = []
  for (const line of imports) {
    const match = /^import \{([^}]*)\} from '([^']+)'$/.exec(line)
    if (match === null) {
      others.push(line)
      continue
    }
    const names = named.get(match[2] as string) ?? new Set()
    for (const name of (match[1] as string).split(',')) names.add(name.trim())
    named.set(match[2] as string, names)
  }
  return [...others, ...[...named].map(([from, names]) => `import { ${[...names].join(', ')} } from '${from}'`)]
}
