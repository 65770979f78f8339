/** What a child process that may be killed at any moment says: it is out when this returns. */

import fs from 'node:fs'

const sleeping = new Int32Array(new SharedArrayBuffer(4))

/** Writes a line to standard output. Whoever reads it may be slow: until there is room in the pipe, this thread waits. */
export function sayNow(line: string): void {
  for (;;) {
    try {
      // Less than PIPE_BUF: all of it, or nothing.
      fs.writeSync(1, `${line}\n`)
      return
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error
      Atomics.wait(sleeping, 0, 0, 1)
    }
  }
}
