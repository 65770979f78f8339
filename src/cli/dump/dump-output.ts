/** Where a dump prints: lines, and damage in its place. */

import { VarveError } from '../../kernel/errors.ts'
import { LineBuffer } from '../byte-sink.ts'
import type { ByteSink } from '../byte-sink.ts'
import { describeError } from '../failure.ts'

const INDENT = '  '

export class DumpOutput {
  readonly #lines: LineBuffer
  /** Damaged places so far. */
  damaged = 0

  constructor(sink: ByteSink) {
    this.#lines = new LineBuffer(sink)
  }

  /** @returns as `ByteSink.write` */
  line(text = '', depth = 0): Promise<void> | undefined {
    return this.#lines.add(text === '' ? '' : INDENT.repeat(depth) + text)
  }

  /** Damage stands where the thing itself would. */
  damage(what: VarveError | string, depth = 0): Promise<void> | undefined {
    this.damaged++
    return this.line(`!! ${typeof what === 'string' ? what : describeError(what)}`, depth)
  }

  /** Does `work`; where it meets damage, that is printed and the dump goes on. */
  async attempt(depth: number, work: () => Promise<void>): Promise<void> {
    try {
      await work()
    } catch (error) {
      if (!(error instanceof VarveError)) throw error
      await this.damage(error, depth)
    }
  }

  /** Names and values, lined up. */
  async pairs(pairs: readonly (readonly [name: string, value: string])[], depth = 0): Promise<void> {
    const width = Math.max(...pairs.map(([name]) => name.length))
    for (const [name, value] of pairs) await this.line(`${name.padEnd(width)}${INDENT}${value}`, depth)
  }

  finish(): Promise<void> {
    return this.#lines.finish()
  }
}
