/** Asks a database, damaged or not, for everything it has, and judges the answers. */

import type { KvShard } from '../../src/engines/kv/kv-shard.ts'
import { VarveError } from '../../src/kernel/errors.ts'
import type { ErrorCode } from '../../src/kernel/errors.ts'
import { deviceOf } from './image.ts'
import type { Image } from './image.ts'
import type { Content, Specimen } from './specimen.ts'

/** How a damaged database may answer. Anything else is an Error that says what is wrong. */
export type Verdict = { readonly codes: ReadonlySet<ErrorCode>; readonly lost: number } | 'whole'

// Nothing here takes longer than a few milliseconds, on a machine that has nothing else to do.
const DEADLINE_MS = 120_000
const PROCESS = 1000

/**
 * Opens `image`, reads all of it, writes to it, and reads it again after another opening.
 *
 * @returns which errors came, and how many of the last writes are missing
 * @throws {Error} an untyped error, a wrong answer or none
 */
export async function examine(specimen: Specimen, image: Image, thorough: boolean): Promise<Verdict> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${DEADLINE_MS} ms`)), DEADLINE_MS)
  })
  try {
    return await Promise.race([new Examination(specimen, image).run(thorough), late])
  } finally {
    clearTimeout(timer)
  }
}

class Examination {
  readonly #specimen: Specimen
  readonly #image: Image
  readonly #codes = new Set<ErrorCode>()
  /** Contents of the specimen that no answer has ruled out. */
  #possible: readonly Content[]
  /** What was written since. */
  #added: readonly [string, string] | undefined

  constructor(specimen: Specimen, image: Image) {
    this.#specimen = specimen
    this.#image = image
    this.#possible = specimen.contents
  }

  async run(thorough: boolean): Promise<Verdict> {
    const device = deviceOf(this.#image)
    const opened = await this.#visit(() => this.#specimen.open(device, PROCESS))
    if (opened !== undefined) {
      await this.#read(opened)
      if (thorough) await this.#change(opened)
      await this.#attempt(() => opened.close())
      if (thorough) await this.#again(() => this.#specimen.open(device, PROCESS + 1))
    }
    const lost = this.#specimen.contents.indexOf(this.#possible[0] as Content)
    return this.#codes.size === 0 && lost === 0 ? 'whole' : { codes: this.#codes, lost }
  }

  async #again(open: () => Promise<KvShard>): Promise<void> {
    const opened = await this.#visit(open)
    if (opened === undefined) return
    await this.#read(opened)
    await this.#attempt(() => opened.close())
  }

  async #read(db: KvShard): Promise<void> {
    const entries: [string, string][] = []
    let complete = false
    await this.#attempt(async () => {
      for await (const { key, value } of db.scan()) entries.push([textOf(key), textOf(value)])
      complete = true
    })
    this.#narrow('a scan', (content) => startsWith([...content], entries, complete))
    const backwards: [string, string][] = []
    complete = false
    await this.#attempt(async () => {
      for await (const { key, value } of db.scan({ reverse: true })) backwards.push([textOf(key), textOf(value)])
      complete = true
    })
    this.#narrow('a scan backwards', (content) => startsWith([...content].reverse(), backwards, complete))
    for (const key of this.#specimen.keys) {
      await this.#attempt(async () => {
        const found = db.getSync(Buffer.from(key))
        const value = found === undefined ? undefined : textOf(found)
        this.#narrow(`get ${key}`, (content) => content.get(key) === value)
        return Promise.resolve()
      })
    }
  }

  /** Writing and compacting make nothing out of damage. */
  async #change(db: KvShard): Promise<void> {
    const added = ['zz', 'added after the damage'] as const
    await this.#attempt(async () => {
      await db.put(Buffer.from(added[0]), Buffer.from(added[1]), { durability: 'synced' })
      this.#added = added
    })
    await this.#attempt(() => db.compactRange())
    await this.#read(db)
  }

  #narrow(what: string, matches: (content: Content) => boolean): void {
    const added = this.#added
    const left = this.#possible.filter((content) =>
      matches(added === undefined ? content : new Map(content).set(...added)),
    )
    if (left.length === 0) throw new Error(`${what} gave a wrong answer`)
    this.#possible = left
  }

  async #visit<T>(work: () => Promise<T>): Promise<T | undefined> {
    let result: T | undefined
    await this.#attempt(async () => {
      result = await work()
    })
    return result
  }

  async #attempt(work: () => Promise<void>): Promise<void> {
    try {
      await work()
    } catch (error) {
      if (!(error instanceof VarveError)) throw error
      this.#codes.add(error.code)
    }
  }
}

function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1')
}

type Entries = readonly (readonly [string, string])[]

function startsWith(expected: Entries, found: Entries, complete: boolean): boolean {
  if (complete ? found.length !== expected.length : found.length > expected.length) return false
  return found.every(([key, value], index) => expected[index]?.[0] === key && expected[index]?.[1] === value)
}
