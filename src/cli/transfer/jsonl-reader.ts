/**
 * Reads entries from lines of JSON: as json-line.ts writes them, or, with a template for keys, any objects, whose lines
 * become the values as they stand. Empty lines are passed over.
 */

import { base64Bytes } from '../base64-bytes.ts'
import { jsonFault } from './json-fault.ts'
import { fillTemplate } from './key-template.ts'
import type { SourceNames, TemplatePart } from './key-template.ts'
import { RecordFault } from './input-error.ts'
import { columnAt } from './text-column.ts'
import type { RecordReader, TakeEntry } from './record-reader.ts'

export interface JsonlOptions {
  /** Makes the key; undefined: the line has it. */
  readonly key: readonly TemplatePart[] | undefined
  /** In front of every key. */
  readonly keyPrefix: readonly TemplatePart[]
  readonly names: SourceNames
}

type JsonObject = Readonly<Record<string, unknown>>

const EMPTY = /^[ \t\r]*$/
const LONE_SURROGATE = /\p{Surrogate}/u
const OWN_FIELDS: ReadonlySet<string> = new Set(['key', 'key64', 'value', 'value64'])
const SHAPE = '{"key": …, "value": …}'

export class JsonlReader implements RecordReader {
  line = 1
  readonly #options: JsonlOptions
  #rest = ''
  /** The line may have halves of characters: bytes that are UTF-8 have none, escapes may. */
  #hasEscapes = false

  constructor(options: JsonlOptions) {
    this.#options = options
  }

  read(text: string, take: TakeEntry): void {
    let start = 0
    for (;;) {
      const end = text.indexOf('\n', start)
      if (end < 0) break
      this.#readLine(this.#rest + text.slice(start, end), take)
      this.#rest = ''
      this.line++
      start = end + 1
    }
    this.#rest += text.slice(start)
  }

  end(take: TakeEntry): void {
    this.#readLine(this.#rest, take)
    this.#rest = ''
  }

  #readLine(line: string, take: TakeEntry): void {
    // Nearly every line begins with a brace.
    if (line.charCodeAt(0) !== 0x7b && EMPTY.test(line)) return
    this.#hasEscapes = line.includes('\\u')
    const object = this.#parse(line)
    const { key, keyPrefix, names } = this.#options
    const lookUp = (field: string): string | undefined => this.#field(object, field)
    let keyBytes: Buffer
    let value: Buffer
    if (key === undefined) {
      this.#checkFields(object)
      keyBytes = this.#bytes(object, 'key')
      value = this.#bytes(object, 'value')
    } else {
      keyBytes = Buffer.from(this.#fill(key, lookUp))
      value = Buffer.from(line.endsWith('\r') ? line.slice(0, -1) : line)
    }
    if (keyPrefix.length > 0) {
      const prefix = fillTemplate(keyPrefix, names, this.line, key === undefined ? nothing : lookUp)
      if (prefix === undefined) this.#fail('--key-prefix has a name that the line has no field for')
      keyBytes = Buffer.concat([Buffer.from(prefix), keyBytes])
    }
    take(keyBytes, value, this.line)
  }

  #parse(line: string): JsonObject {
    let parsed: unknown
    try {
      parsed = JSON.parse(line)
    } catch {
      const offset = jsonFault(line) ?? 0
      const found =
        line.slice(offset).trim() === '' ? 'the line ends too early' : `'${firstOf(line, offset)}' cannot be here`
      return this.#fail(`not JSON: ${found}`, columnAt(line, offset))
    }
    if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) {
      return this.#fail(`not an object: expected ${this.#options.key === undefined ? SHAPE : '{…}'}`, 1)
    }
    return parsed as JsonObject
  }

  #checkFields(object: JsonObject): void {
    for (const name in object) {
      if (OWN_FIELDS.has(name)) continue
      this.#fail(`field '${name}' is not known: expected ${SHAPE}; with --key, whole lines become values`)
    }
  }

  /** Bytes of `name`, given as text or, under `name64`, in base64. */
  #bytes(object: JsonObject, name: 'key' | 'value'): Buffer {
    const name64 = `${name}64`
    const [text, encoded] = [object[name], object[name64]]
    if ((text === undefined) === (encoded === undefined)) {
      const found =
        text === undefined
          ? `there is no field '${name}' (nor '${name64}')`
          : `'${name}' and '${name64}' are both there`
      return this.#fail(`${found}: expected ${SHAPE}`)
    }
    if (encoded !== undefined) {
      const bytes = typeof encoded === 'string' ? base64Bytes(encoded) : undefined
      if (bytes === undefined) return this.#fail(`'${name64}' is not base64 text`)
      return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
    }
    if (typeof text !== 'string') {
      const advice = name === 'value' ? '; to store JSON, make it a string, or give --key to store whole lines' : ''
      return this.#fail(`'${name}' is not a string${advice}`)
    }
    this.#checkText(text, name)
    return Buffer.from(text)
  }

  #fill(template: readonly TemplatePart[], lookUp: (field: string) => string | undefined): string {
    const filled = fillTemplate(template, this.#options.names, this.line, lookUp)
    if (filled !== undefined) return filled
    const missing = template.find((part) => 'field' in part && lookUp(part.field) === undefined)
    const name = missing !== undefined && 'field' in missing ? missing.field : ''
    return this.#fail(`there is no field '${name}', of which the key is made`)
  }

  /** A field as part of a key: text, or a whole number, whose digits are the same however they were written. */
  #field(object: JsonObject, name: string): string | undefined {
    const value = Object.hasOwn(object, name) ? object[name] : undefined
    if (value === undefined) return undefined
    if (typeof value === 'number' && Number.isSafeInteger(value)) return String(value)
    if (typeof value !== 'string')
      return this.#fail(`'${name}' is neither a string nor a whole number: no key can be made of it`)
    this.#checkText(value, name)
    return value
  }

  #checkText(text: string, name: string): void {
    if (this.#hasEscapes && LONE_SURROGATE.test(text))
      this.#fail(`'${name}' has half of a character (a lone surrogate), which has no UTF-8`)
  }

  #fail(reason: string, column?: number): never {
    throw new RecordFault(this.line, column, reason)
  }
}

function nothing(): undefined {
  return undefined
}

function firstOf(line: string, offset: number): string {
  return String.fromCodePoint(line.codePointAt(offset) ?? 0)
}
