/**
 * A database that is being made: in a directory within its own, and in its place only once it is whole.
 *
 * Whoever is killed while he makes it leaves nothing that opens as if it were all there was. The heads come into place
 * last: without them files and journal are no database.
 */

import { join } from 'node:path'
import { VarveError } from './kernel/errors.ts'
import { NodeDevice } from './fs/node-device.ts'
import { namesIn } from './local-inspection.ts'
import { emptyDirectory } from './local-destroy.ts'
import { HEADS, UNFINISHED } from './local-layout.ts'

/**
 * Makes the database of `directory`, which must be empty or missing.
 *
 * @param make fills a directory, and has closed everything in it when it resolves. Where it rejects, that is removed
 * @throws {VarveError} EXISTS — the directory has something in it
 */
export async function makeWhole<T>(directory: string, make: (unfinished: string) => Promise<T>): Promise<T> {
  await requireEmpty(directory)
  const device = new NodeDevice(directory)
  await device.makeDirectory('.')
  const folder = join(directory, UNFINISHED)
  let made: T
  try {
    made = await make(folder)
  } catch (error) {
    await discard(device, folder).catch(() => undefined)
    throw error
  }
  await putInPlace(device)
  return made
}

/** Takes no lock: nobody else knows of it, and on a disk that is full there is no room for one. */
async function discard(device: NodeDevice, folder: string): Promise<void> {
  const unfinished = new NodeDevice(folder)
  await emptyDirectory(unfinished)
  for (const name of await namesIn(unfinished, '.')) await unfinished.unlink(name)
  await device.removeDirectory(UNFINISHED)
}

async function putInPlace(device: NodeDevice): Promise<void> {
  const names = await namesIn(device, UNFINISHED)
  for (const name of names) if (name !== HEADS) await device.rename(`${UNFINISHED}/${name}`, name)
  await device.syncDirectory('.')
  await device.rename(`${UNFINISHED}/${HEADS}`, HEADS)
  await device.removeDirectory(UNFINISHED)
  await device.syncDirectory('.')
}

/** @throws {VarveError} EXISTS — the directory has something in it */
export async function requireEmpty(path: string): Promise<void> {
  const names = await namesIn(new NodeDevice(path, { readOnly: true }), '.')
  if (names.length === 0) return
  const leftOver = names.includes(UNFINISHED) && !names.includes(HEADS)
  const reason = leftOver ? `has what was left of one that did not end, in ${UNFINISHED}: remove it` : 'is not empty'
  throw new VarveError('EXISTS', `${path} ${reason}`, { details: { path } })
}
