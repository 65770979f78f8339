/** Paths on a device: relative to its root, separated by `/`, never out of it. */

const ELEMENT = /^[A-Za-z0-9_-][A-Za-z0-9._-]*$/

/** @throws {TypeError} a path that could leave the root, or that some file system reads otherwise */
export function checkDevicePath(path: string): string {
  if (path === '.') return path
  for (const element of path.split('/')) {
    if (!ELEMENT.test(element))
      throw new TypeError(`device path ${JSON.stringify(path)} has the element ${JSON.stringify(element)}`)
  }
  return path
}

export function joinPath(directory: string, name: string): string {
  return directory === '.' ? name : `${directory}/${name}`
}

/** The directory that holds `path`. */
export function parentOf(path: string): string {
  const at = path.lastIndexOf('/')
  return at < 0 ? '.' : path.slice(0, at)
}
