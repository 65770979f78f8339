/** Checks that every settings object makes. */

/** @throws {TypeError} a name that `known` does not have */
export function checkSettingNames(what: string, input: object, known: object): void {
  for (const name of Object.keys(input)) {
    if (!Object.hasOwn(known, name)) throw new TypeError(`${what} has no setting named ${JSON.stringify(name)}`)
  }
}

/** @throws {TypeError | RangeError} not an integer, or outside first … last */
export function checkSettingRange(name: string, value: unknown, first: number, last: number): void {
  if (typeof value !== 'number') throw new TypeError(`${name} must be a number, got ${typeof value}`)
  if (!Number.isSafeInteger(value) || value < first || value > last) {
    throw new RangeError(`${name} must be an integer from ${first} to ${last}, got ${value}`)
  }
}
