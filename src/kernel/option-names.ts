/** Options that are none, or whose names are misspelt: refused, where they would be ignored in silence. */

/**
 * @param options as a caller gave them; a name whose value is undefined counts as not given
 * @param known every name there is
 * @throws {TypeError} no object, or a name that is not known; the message has it
 */
export function checkOptionNames(options: unknown, known: Readonly<Record<string, true>>): void {
  if (typeof options !== 'object' || options === null)
    throw new TypeError(`options must be an object, got ${options === null ? 'null' : typeof options}`)
  // A list, a date or bytes have no names of ours: as the bounds of a deletion they would be everything.
  const kind = Object.prototype.toString.call(options).slice('[object '.length, -1)
  if (kind !== 'Object') throw new TypeError(`options must be an object, got ${kind}`)
  for (const name in options) {
    if (Object.hasOwn(known, name) || (options as Readonly<Record<string, unknown>>)[name] === undefined) continue
    throw new TypeError(`unknown option ${name}: there are ${Object.keys(known).join(', ')}`)
  }
}
