/**
 * The import: sources one after the other, entries in the order in which they stand.
 *
 * Everything is a stream: a block is read, its entries are handed to the writer, and the next block waits until the
 * writer has room. The first thing that cannot be read ends the import; what stood before it stays.
 */

import { createReadStream } from 'node:fs'
import { realpath } from 'node:fs/promises'
import { KV_LIMITS } from '../../engines/kv/limits.ts'
import { KIB } from '../../kernel/limits.ts'
import { SystemClock } from '../../system-clock.ts'
import type { CommandContext } from '../command.ts'
import { showKey, shorten } from '../key-text.ts'
import { ProgressBar } from '../progress-bar.ts'
import { formatBytes, formatNumberOf } from '../quantities.ts'
import { UsageError } from '../usage-error.ts'
import { CsvReader } from './csv-reader.ts'
import { delimiterOfName } from './formats.ts'
import type { ExistingChoice, ImportWriter } from './import-writer.ts'
import { InputError, RecordFault } from './input-error.ts'
import type { InputPlace } from './input-error.ts'
import { namesOf } from './import-source.ts'
import type { ImportSource } from './import-source.ts'
import { JsonlReader } from './jsonl-reader.ts'
import type { TemplatePart } from './key-template.ts'
import type { RecordReader } from './record-reader.ts'
import { textBlocks } from './text-blocks.ts'
import { readTree } from './tree-reader.ts'

export interface ImportOptions {
  readonly key: readonly TemplatePart[] | undefined
  readonly keyPrefix: readonly TemplatePart[]
  readonly valueColumn: string | undefined
  /** Undefined: as the name of the file says. */
  readonly delimiter: string | undefined
  readonly header: boolean
  readonly existing: ExistingChoice
}

export interface ImportReport {
  /** Entries read. */
  readonly entries: number
  /** Bytes of their keys and values. */
  readonly bytes: number
  /** Of these, with the same value there already. */
  readonly unchanged: number
  readonly replaced: number
  readonly kept: number
  /** Where the first one was that was replaced or kept. */
  readonly firstConflict: InputPlace | undefined
  /** Files of a tree that are no entries, with the reason. */
  readonly leftOut: readonly string[]
  /** Symbolic links and the like in trees. */
  readonly specials: number
}

const PIECE_BYTES = 256 * KIB
const KEY_COLUMNS = 60
const PAUSE_MS = 2000

export class ImportJob {
  readonly #options: ImportOptions
  readonly #context: CommandContext
  readonly #directory: string
  readonly #writer: ImportWriter | undefined
  readonly #bar: ProgressBar
  readonly #leftOut: string[] = []
  readonly #clock = new SystemClock()
  #jobFailures = 0
  #entries = 0
  #bytes = 0
  #shownEntries = 0
  #specials = 0
  #firstConflict: InputPlace | undefined

  /** @param writer undefined: everything is read and nothing is written */
  constructor(
    writer: ImportWriter | undefined,
    directory: string,
    options: ImportOptions,
    sources: readonly ImportSource[],
    context: CommandContext,
  ) {
    this.#options = options
    this.#context = context
    this.#directory = directory
    this.#writer = writer
    const totalBytes = sources.reduce<number | undefined>(
      (sum, { bytes }) => (sum === undefined || bytes === undefined ? undefined : sum + bytes),
      0,
    )
    const { output, now } = context
    const label = writer === undefined ? 'read' : 'import'
    const total = totalBytes === undefined ? {} : { totalBytes }
    this.#bar = new ProgressBar(output, { label, item: 'entry', ...total, now })
  }

  /** @throws {InputError} and what the shard and the system throw; what has been written by then is told */
  async run(sources: readonly ImportSource[]): Promise<ImportReport> {
    const { output } = this.#context
    let place: InputPlace = { file: '' }
    try {
      for (const source of sources) {
        place = { file: source.path }
        await this.#importSource(source)
      }
      await this.#writer?.finish()
    } catch (error) {
      output.status('')
      throw await this.#stopped(error, place)
    }
    output.status('')
    return {
      entries: this.#entries,
      bytes: this.#bytes,
      unchanged: this.#writer?.unchanged ?? 0,
      replaced: this.#writer?.replaced ?? 0,
      kept: this.#writer?.kept ?? 0,
      firstConflict: this.#firstConflict,
      leftOut: this.#leftOut,
      specials: this.#specials,
    }
  }

  #importSource(source: ImportSource): Promise<void> {
    return source.format === 'tree'
      ? this.#importTree(source)
      : this.#importText(source, readerFor(source, this.#options))
  }

  async #importText({ path }: ImportSource, reader: RecordReader): Promise<void> {
    const { stdin, signal } = this.#context
    const pieces = path === '-' ? stdin.read(signal) : createReadStream(path, { highWaterMark: PIECE_BYTES, signal })
    const take = (key: Buffer, value: Buffer, line: number): void => this.#take(key, value, { file: path, line })
    try {
      for await (const block of textBlocks(pieces)) {
        reader.read(block.text, take)
        if (block.fault !== undefined) throw new RecordFault(reader.line, block.fault.column, block.fault.reason)
        this.#advance(block.bytes)
        await this.#ready()
        signal.throwIfAborted()
      }
      reader.end(take)
    } catch (error) {
      if (!(error instanceof RecordFault)) throw error
      const { line, column, message } = error
      throw new InputError(column === undefined ? { file: path, line } : { file: path, line, column }, message)
    }
  }

  async #importTree(source: ImportSource): Promise<void> {
    const except = this.#writer === undefined ? [] : [await realpath(this.#directory)]
    const { leftOut, specials } = await readTree(
      source,
      { keyPrefix: this.#options.keyPrefix, except, signal: this.#context.signal },
      async (key, value, file) => {
        this.#take(key, value, { file })
        this.#advance(value.length)
        await this.#ready()
      },
    )
    this.#leftOut.push(...leftOut)
    this.#specials += specials
  }

  #take(key: Buffer, value: Buffer, place: InputPlace): void {
    const { keyBytesMax, valueBytesMax } = KV_LIMITS
    if (key.length > keyBytesMax) throw new InputError(place, overLimit('key', key.length, keyBytesMax))
    if (value.length > valueBytesMax) throw new InputError(place, overLimit('value', value.length, valueBytesMax))
    const outcome = this.#writer?.put(key, value) ?? 'put'
    if (outcome === 'taken') {
      throw new InputError(place, `the key ${shorten(showKey(key), KEY_COLUMNS)} has another value already`)
    }
    if (outcome !== 'put') this.#firstConflict ??= place
    if (outcome === 'kept') return
    this.#entries++
    this.#bytes += key.length + value.length
  }

  /** Resolves when the writer has room; says so when that takes long because something fails. */
  async #ready(): Promise<void> {
    const writer = this.#writer
    if (writer === undefined) return
    let isReady = false
    const ready = writer.ready().finally(() => (isReady = true))
    // Nearly always there is room at once.
    await Promise.race([ready, this.#clock.turn()])
    while (!isReady) {
      const pause = new Promise<void>((resolve) => this.#clock.after(PAUSE_MS, resolve))
      await Promise.race([ready, pause])
      const { jobFailures } = writer
      if (isReady || jobFailures === this.#jobFailures) continue
      this.#jobFailures = jobFailures
      const failures = formatNumberOf(jobFailures, 'background job')
      this.#context.output.note(
        `varve: writes wait: ${failures} failed and will be tried again. Ctrl-C stops the import.`,
      )
    }
    await ready
  }

  #advance(bytes: number): void {
    this.#bar.advance(this.#entries - this.#shownEntries, bytes)
    this.#shownEntries = this.#entries
  }

  /** Writes what has been taken, and makes an error that says so. */
  async #stopped(error: unknown, place: InputPlace): Promise<unknown> {
    const writer = this.#writer
    if (writer === undefined) return error
    try {
      await writer.finish()
    } catch (failure) {
      // The first failure is the one to tell, unless it is the input's.
      if (error instanceof InputError || error instanceof UsageError) error = failure
    }
    const arrived = writer.written + writer.unchanged
    const kept = `${formatNumberOf(arrived, 'entry')} before it ${arrived === 1 ? 'has' : 'have'} been imported`
    if (error instanceof InputError) {
      const done = arrived === 0 ? 'Nothing has been imported' : `${kept}, and ${arrived === 1 ? 'stays' : 'stay'}`
      const advice = `${done}. Correct it and import again: what is there already does no harm.`
      return new InputError(error.place, error.reason, advice)
    }
    if (arrived === 0) return error
    // No longer a matter of the command line alone: something was done.
    if (error instanceof UsageError)
      return new InputError(place, error.message, `${kept}, and ${arrived === 1 ? 'stays' : 'stay'}.`)
    const entries = formatNumberOf(arrived, 'entry')
    this.#context.output.note(`varve: ${entries} had been imported by then, and stay; import again to go on`)
    return error
  }
}

/**
 * Whether the options fit the columns of files of CSV, before anything is done. Pipes can be read only once, so those
 * turn out later.
 *
 * @throws {UsageError}
 */
export async function checkColumns(sources: readonly ImportSource[], options: ImportOptions): Promise<void> {
  for (const source of sources) {
    if (source.format !== 'csv' || source.bytes === undefined) continue
    const reader = readerFor(source, options)
    try {
      for await (const { text } of textBlocks(createReadStream(source.path, { end: PIECE_BYTES - 1 }))) {
        reader.read(text, () => undefined)
      }
    } catch (error) {
      // What else is wrong is told when its turn comes.
      if (error instanceof UsageError) throw error
    }
  }
}

function readerFor(source: ImportSource, options: ImportOptions): RecordReader {
  const { key, keyPrefix, valueColumn, header, delimiter = delimiterOfName(source.path) } = options
  const names = namesOf(source)
  if (source.format === 'jsonl') return new JsonlReader({ key, keyPrefix, names })
  return new CsvReader({ key, keyPrefix, names, valueColumn, header, delimiter })
}

function overLimit(what: string, size: number, limit: number): string {
  return `the ${what} has ${formatBytes(size)}, the most is ${formatBytes(limit)}`
}
