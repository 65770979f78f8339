/** Paths on a device: relative to its root, separated by `/`, never out of it. */

const ELEMENT = /^[A-Za-z0-9_-][A-Za-z0-9._-]*$/
const PATH = /^[A-Za-z0-9_-][A-Za-z0-9._-]*(?:\/[A-Za-z0-9_-][A-Za-z0-9._-]*)*$/

/** @throws {TypeError} a path that could leave the root, or that some file system reads otherwise */
export function checkDevicePath(path: string): string {
  if (path === '.' || PATH.test(path)) return path
  const element = path.split('/').find((each) => !ELEMENT.test(each))
  throw new TypeError(`device path ${JSON.stringify(path)} has the element ${JSON.stringify(element)}`)
}

export function joinPath(directory: string, name: string): string {
  return directory === '.' ? name : `${directory}/${name}`
}

/** The directory that holds `path`. */
export function parentOf(path: string): string {
  const at = path.lastIndexOf('/')
  return at < 0 ? '.' : path.slice(0, at)
}
