/** What every conformance suite is given, and how it makes a test of a promise. */

/** Bodies are asynchronous where nothing else is said. */
export interface ConformanceSuite<Body = () => Promise<void>> {
  /** Makes a test, as that of `node:test` does. */
  readonly test: (name: string, options: { skip?: string }, body: Body) => unknown
  /** Stands before every test's name. */
  readonly name: string
  /** Promises that are not kept, by their names: each says why. */
  readonly skip?: readonly { readonly test: string; readonly reason: string }[]
}

/** Makes a test of one promise, or one that is skipped with the suite's reason. */
export function testPromise<Body>(suite: ConformanceSuite<Body>, name: string, body: Body): void {
  const skipped = suite.skip?.find((candidate) => candidate.test === name)
  suite.test(`${suite.name}: ${name}`, skipped === undefined ? {} : { skip: skipped.reason }, body)
}
