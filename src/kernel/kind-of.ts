/** What a message calls a value that is not what it should be: its kind, never its content, which may be a secret. */

/** `null`, `NaN`, `string`, `object`, `Array`, `ArrayBuffer`, `URL` … */
export function kindOf(value: unknown): string {
  if (value === null) return 'null'
  if (Number.isNaN(value)) return 'NaN'
  if (typeof value !== 'object') return typeof value
  const tag = Object.prototype.toString.call(value).slice('[object '.length, -1)
  return tag === 'Object' ? 'object' : tag
}
