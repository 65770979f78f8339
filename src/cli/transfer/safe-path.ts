/** Which keys can be files below a directory: relative paths that lead nowhere else. */

const SEPARATOR = 0x2f
// What every usual file system takes.
const NAME_BYTES_MAX = 255
// The system's own limit is 4,096 with the directory in front.
const PATH_BYTES_MAX = 3500

/** Why `key` cannot be a path, or undefined: it can. @param windows names must be good there too */
export function pathFault(key: Uint8Array, windows: boolean): string | undefined {
  if (key.length === 0) return 'it is empty'
  if (key.length > PATH_BYTES_MAX) return `it is longer than ${PATH_BYTES_MAX} bytes`
  if (key.includes(0)) return 'it has a zero byte'
  if (key[0] === SEPARATOR) return 'it begins with /'
  for (const name of key.length === 0 ? [] : namesIn(key)) {
    if (name.length === 0) return 'it ends with /, or has two in a row'
    if (name.length > NAME_BYTES_MAX) return `a name in it is longer than ${NAME_BYTES_MAX} bytes`
    const text = Buffer.from(name).toString('latin1')
    if (text === '.' || text === '..') return `it has the name ${text}`
    if (windows && /[\\:*?"<>|]|[. ]$/.test(text)) return 'it has a character that file names cannot have here'
  }
  return undefined
}

function namesIn(key: Uint8Array): readonly Uint8Array[] {
  const names: Uint8Array[] = []
  let start = 0
  for (let end = key.indexOf(SEPARATOR); end >= 0; end = key.indexOf(SEPARATOR, start)) {
    names.push(key.subarray(start, end))
    start = end + 1
  }
  return [...names, key.subarray(start)]
}

/** Finds keys that would have to be a file and a directory at once. Keys come in ascending order. */
export class PathConflicts {
  /** Earlier keys that the last one begins with, shortest first. */
  #prefixes: Uint8Array[] = []

  /** The earlier key that is a directory in `key`'s path, or undefined. */
  add(key: Uint8Array): Uint8Array | undefined {
    this.#prefixes = this.#prefixes.filter((prefix) => Buffer.compare(prefix, key.subarray(0, prefix.length)) === 0)
    const conflict = this.#prefixes.find((prefix) => key[prefix.length] === SEPARATOR)
    this.#prefixes.push(key)
    return conflict
  }
}
