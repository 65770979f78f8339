/** Writes a journal in tiny segments with a few descriptors left; prints what became of it, for each number of them. */

import { execFileSync } from 'node:child_process'
import { closeSync, openSync } from 'node:fs'
import path from 'node:path'
import { NodeDevice } from '../../src/fs/node-device.ts'
import { LocalJournalSystem } from '../../src/journal/local-journal-system.ts'
import { isCode } from '../../src/kernel/errors.ts'
import { loadHash } from '../../src/kernel/hash.ts'
import { POSITION_ZERO, epoch, shardId } from '../../src/kernel/ids.ts'
import { MemoryStateKeeper } from '../../src/testing/memory-state-keeper.ts'
import { SystemRandom } from '../../src/system-random.ts'

const [, , directory = ''] = process.argv
const hash = await loadHash()
execFileSync('prlimit', ['--pid', String(process.pid), '--nofile=64:64'])

async function withSpare(spare: number): Promise<Readonly<Record<string, number>>> {
  const device = new NodeDevice(path.join(directory, String(spare)))
  const settings = { segmentBytes: 4096, preallocateBytes: 0 }
  const system = new LocalJournalSystem({ device, directory: 'journal', hash, random: new SystemRandom(), settings })
  const keeper = new MemoryStateKeeper()
  const journal = await system.open(shardId('main'), epoch(1), keeper)
  const acknowledged: string[] = []
  let refused = 0
  const append = async (): Promise<void> => {
    const text = `${acknowledged.length + refused}`.padEnd(900, '.')
    try {
      await journal.append(Buffer.from(text), 'synced').synced
      acknowledged.push(text)
    } catch (error) {
      if (!isCode(error, 'OUT_OF_FILES')) throw error
      refused++
    }
  }
  const taken = takeAll()
  for (let left = spare; left > 0; left--) closeSync(taken.pop() as number)
  for (let count = 24; count > 0; count--) await append()
  for (const fd of taken) closeSync(fd)
  const written = acknowledged.length
  await append()
  await journal.close()
  const reader = await system.openReadOnly(shardId('main'), keeper.state)
  let found = 0
  await reader.replay(POSITION_ZERO, (payload) => {
    if (Buffer.from(payload).toString() === acknowledged[found]) found++
  })
  await reader.close()
  return { spare, refused, acknowledged: written, after: acknowledged.length - written, found }
}

/** Every descriptor that the process may still have. */
function takeAll(): number[] {
  const taken: number[] = []
  try {
    for (;;) taken.push(openSync('/dev/null', 'r'))
  } catch {
    return taken
  }
}

const reports: Readonly<Record<string, number>>[] = []
for (let spare = 0; spare <= 5; spare++) reports.push(await withSpare(spare))
process.stdout.write(JSON.stringify(reports))
