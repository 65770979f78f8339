/** The lock of a directory of this machine, embedded or served: one process at a time. */

import { DirectoryLock } from './fs/directory-lock.ts'
import { LocalReserve, RESERVE_NAME } from './fs/local-reserve.ts'
import type { NodeDevice } from './fs/node-device.ts'
import { NodeProcessTable } from './fs/node-process-table.ts'
import { isCode } from './kernel/errors.ts'
import type { Random } from './kernel/random.ts'
import { loadNative } from './native/load-native.ts'
import { NativeFileHolds } from './native/native-file-holds.ts'

/**
 * Locks the directory a device is rooted at. With the addon, processes in other containers are seen too.
 *
 * @param directory as it is shown
 * @throws {VarveError} LOCKED — a live process has it open
 */
export async function lockDirectory(device: NodeDevice, directory: string, random: Random): Promise<DirectoryLock> {
  const native = loadNative()
  const options = {
    device,
    directory: '.',
    shownAs: directory,
    processes: new NodeProcessTable(),
    random,
    ...(native === undefined ? {} : { holds: new NativeFileHolds(native, device.root) }),
  }
  try {
    return await DirectoryLock.acquire(options)
  } catch (error) {
    // On a disk that is full to the last block, the lock file takes its own from the reserve.
    if (!isCode(error, 'NO_SPACE') || !(await LocalReserve.nibble(device, RESERVE_NAME))) throw error
    return DirectoryLock.acquire(options)
  }
}
