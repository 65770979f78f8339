/**
 * Where a text stops being JSON. `JSON.parse` says so in words that differ from version to version, often without the
 * place; this runs only after it has said no.
 *
 * Grammar: RFC 8259.
 */

const SPACE = /[ \t\n\r]*/y
const NUMBER = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y
const WORD = /true|false|null/y
// As far as the string is well formed; whether it ends is looked at afterwards.
// oxlint-disable-next-line no-control-regex -- these are what JSON forbids in strings
const STRING = /"(?:[^"\\\u0000-\u001f]+|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*/y
const DEPTH_MAX = 1000

/** Offset of the first character that cannot be where it is, the length where the end is missing; undefined: it is JSON. */
export function jsonFault(text: string): number | undefined {
  const scanner = new Scanner(text)
  if (!scanner.value(0)) return scanner.at
  scanner.space()
  return scanner.at === text.length ? undefined : scanner.at
}

class Scanner {
  readonly #text: string
  at = 0

  constructor(text: string) {
    this.#text = text
  }

  space(): void {
    this.#skip(SPACE)
  }

  /** Moves behind a value; false, and `at` is where it fails. */
  value(depth: number): boolean {
    this.space()
    if (depth > DEPTH_MAX) return false
    if (this.#next('{')) return this.#list('}', () => this.#member(depth))
    if (this.#next('[')) return this.#list(']', () => this.value(depth + 1))
    if (this.#text[this.at] === '"') return this.#string()
    return this.#skip(NUMBER) || this.#skip(WORD)
  }

  #list(end: string, item: () => boolean): boolean {
    this.space()
    if (this.#next(end)) return true
    for (;;) {
      if (!item()) return false
      this.space()
      if (this.#next(end)) return true
      if (!this.#next(',')) return false
    }
  }

  #member(depth: number): boolean {
    this.space()
    if (this.#text[this.at] !== '"' || !this.#string()) return false
    this.space()
    return this.#next(':') && this.value(depth + 1)
  }

  #string(): boolean {
    this.#skip(STRING)
    return this.#next('"')
  }

  #next(character: string): boolean {
    if (this.#text[this.at] !== character) return false
    this.at++
    return true
  }

  #skip(pattern: RegExp): boolean {
    pattern.lastIndex = this.at
    if (!pattern.test(this.#text)) return false
    this.at = pattern.lastIndex
    return true
  }
}
