/** Makes checkpoints with a few descriptors left; prints what became of them, and what those that failed have left. */

import { execFileSync } from 'node:child_process'
import { closeSync, openSync, readdirSync } from 'node:fs'
import path from 'node:path'
import { isCode } from '../../src/kernel/errors.ts'
import { checkpoint } from '../../src/local-checkpoint.ts'
import { open } from '../../src/local.ts'

const SPARE_MAX = 9
const [, , directory = ''] = process.argv
const db = await open(path.join(directory, 'origin'), { jobs: 'inline' })
await db.put(Buffer.from('key'), Buffer.from('value'))
await db.flush()
execFileSync('prlimit', ['--pid', String(process.pid), '--nofile=64:64'])

const left: string[] = []
let [refused, made] = [0, 0]
for (let spare = 0; spare <= SPARE_MAX; spare++) {
  const name = `above-${spare}`
  const taken = takeAll()
  for (let free = spare; free > 0; free--) closeSync(taken.pop() as number)
  const failure = await checkpoint(db, path.join(directory, name, 'target')).then(
    () => undefined,
    (error: Error) => error,
  )
  for (const fd of taken) closeSync(fd)
  if (failure === undefined) {
    made++
    continue
  }
  if (!isCode(failure, 'OUT_OF_FILES') && !isCode(failure.cause, 'OUT_OF_FILES')) throw failure
  refused++
  if (readdirSync(directory).includes(name)) left.push(name)
}
await db.close()
process.stdout.write(JSON.stringify({ refused, made, left }))

function takeAll(): number[] {
  const taken: number[] = []
  for (;;) {
    try {
      taken.push(openSync('/dev/null', 'r'))
    } catch {
      return taken
    }
  }
}
