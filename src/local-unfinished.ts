/**
 * A database that is being made: in a directory within its own, and in its place only once it is whole.
 *
 * Whoever is killed while he makes it leaves nothing that opens as if it were all there was. The heads come into place
 * last: without them files and journal are no database.
 */

import { dirname, join } from 'node:path'
import { VarveError, isCode } from './kernel/errors.ts'
import { NodeDevice } from './fs/node-device.ts'
import { namesIn } from './local-inspection.ts'
import { emptyDirectory } from './local-destroy.ts'
import { HEADS, UNFINISHED, maker, requirePathRoom } from './local-layout.ts'

/**
 * Makes the database of `directory`, which must be empty or missing. Where it rejects, nothing is left of it, nor of
 * directories that had to be made for it.
 *
 * @param make fills a directory, and has closed everything in it when it resolves; LOCKED where another one is filling it
 * @param remove takes away what `make` has put there. Default: all there is
 * @throws {VarveError} EXISTS — the directory has something in it; LIMIT_EXCEEDED — its path is too long
 */
export async function makeWhole<T>(
  directory: string,
  make: (unfinished: string) => Promise<T>,
  remove: (unfinished: string) => Promise<void> = discard,
): Promise<T> {
  // Before anything is waited for: a relative path means what it does at the call.
  const device = new NodeDevice(directory)
  await requireEmpty(directory)
  const folder = join(device.root, UNFINISHED)
  requirePathRoom(folder)
  const missing = missingOf(folder)
  try {
    await device.makeDirectory(UNFINISHED)
    const made = await make(folder)
    await putInPlace(device)
    return made
  } catch (error) {
    // Somebody else's, who has come first.
    if (isCode(error, 'LOCKED')) throw error
    await remove(folder).catch(() => undefined)
    // In which others may have put something since.
    for (const path of missing) await new NodeDevice(path).removeDirectory('.').catch(() => undefined)
    throw error
  }
}

/** Directories that have to be made for `path`, itself first. */
function missingOf(path: string): readonly string[] {
  const missing: string[] = []
  for (let at = path; dirname(at) !== at && isMissing(at); at = dirname(at)) missing.push(at)
  return missing
}

function isMissing(path: string): boolean {
  try {
    return new NodeDevice(path, { readOnly: true }).statSync('.') === undefined
  } catch {
    // Whoever makes something there is told why he cannot.
    return false
  }
}

/** Takes no lock: nobody else knows of it, and on a disk that is full there is no room for one. */
async function discard(folder: string): Promise<void> {
  const unfinished = new NodeDevice(folder)
  await emptyDirectory(unfinished)
  for (const name of await namesIn(unfinished, '.')) await unfinished.unlink(name)
}

async function putInPlace(device: NodeDevice): Promise<void> {
  const names = await namesIn(device, UNFINISHED)
  const others = (await namesIn(device, '.')).filter((name) => name !== UNFINISHED)
  if (others.length > 0) throw notEmpty(device.root)
  const moved: string[] = []
  const move = async (name: string): Promise<void> => {
    await device.rename(`${UNFINISHED}/${name}`, name)
    moved.push(name)
  }
  try {
    for (const name of names) if (name !== HEADS) await move(name)
    await device.syncDirectory('.')
    await move(HEADS)
    await device.syncDirectory('.')
  } catch (error) {
    for (const name of moved.reverse()) await device.rename(name, `${UNFINISHED}/${name}`).catch(() => undefined)
    throw error
  }
  // Beside heads it says nothing.
  await device.removeDirectory(UNFINISHED).catch(() => undefined)
}

/** @throws {VarveError} EXISTS — the directory has something in it */
export async function requireEmpty(path: string): Promise<void> {
  const device = new NodeDevice(path, { readOnly: true })
  const names = await namesIn(device, '.')
  if (names.length === 0) return
  if (!names.includes(UNFINISHED) || names.includes(HEADS)) throw notEmpty(path)
  const pid = await maker(device)
  const reason =
    pid === undefined
      ? `has what was left of one that did not end, in ${UNFINISHED}: remove it`
      : `is being made by process ${pid}`
  throw new VarveError('EXISTS', `${path} ${reason}`, { details: { path } })
}

function notEmpty(path: string): VarveError {
  return new VarveError('EXISTS', `${path} is not empty`, { details: { path } })
}
