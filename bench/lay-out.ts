/** Makes the directory in which a task begins. */

import { constants, existsSync, mkdirSync } from 'node:fs'
import { cp } from 'node:fs/promises'
import type { Task } from './task.ts'

export async function layOut({ directory, copyFrom }: Task): Promise<void> {
  if (copyFrom === undefined || !existsSync(copyFrom)) mkdirSync(directory, { recursive: true })
  else await cp(copyFrom, directory, { recursive: true, mode: constants.COPYFILE_FICLONE })
}
