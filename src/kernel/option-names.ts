/** Options that are none, or whose names are misspelt: refused, where they would be ignored in silence. */

import { kindOf } from './kind-of.ts'

/**
 * @param options as a caller gave them; a name whose value is undefined counts as not given
 * @param known every name there is
 * @throws {TypeError} no object, or a name that is not known; the message has it
 */
export function checkOptionNames(options: unknown, known: Readonly<Record<string, true>>): void {
  checkObject('options', options)
  for (const name in options) {
    if (Object.hasOwn(known, name) || options[name] === undefined) continue
    throw new TypeError(`unknown option ${name}: there are ${Object.keys(known).join(', ')}`)
  }
}

/** A list, a date or bytes have no names of ours: as the bounds of a deletion they would be everything. @throws {TypeError} */
export function checkObject(name: string, given: unknown): asserts given is Readonly<Record<string, unknown>> {
  const kind = kindOf(given)
  if (kind !== 'object') throw new TypeError(`${name} must be an object, got ${kind}`)
}
