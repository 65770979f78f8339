/** Types of what has none: the conformance suite of abstract-level and the little of tape that runs it. */

declare module 'abstract-level/test/index.js' {
  import type { AbstractLevel } from 'abstract-level'
  interface SuiteOptions {
    readonly test: unknown
    readonly factory: (options?: object) => AbstractLevel<string | Buffer | Uint8Array>
  }
  export default function suite(options: SuiteOptions): void
}

declare module 'tape' {
  interface Row {
    readonly type: 'test' | 'assert' | 'end'
    readonly name?: string
    readonly id?: number
    /** Of an assertion. */
    readonly test?: number
    readonly ok?: boolean
    readonly skip?: unknown
    readonly todo?: unknown
    readonly operator?: string
    readonly expected?: unknown
    readonly actual?: unknown
    readonly error?: Error
  }
  interface Stream {
    on(event: 'data', listener: (row: Row | string) => void): this
    on(event: 'end', listener: () => void): this
  }
  interface TapeTest {
    ok(value: unknown, message?: string): void
    same(actual: unknown, expected: unknown, message?: string): void
  }
  interface Harness {
    (...given: readonly unknown[]): void
    createStream(options: { readonly objectMode: true }): Stream
  }
  export function createHarness(): Harness
}
