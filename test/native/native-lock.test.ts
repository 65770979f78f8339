/** Files held by flock: seen by other processes whatever the process table says, and free when the holder dies. */

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import fs from 'node:fs'
import path from 'node:path'
import { execPath } from 'node:process'
import { DirectoryLock } from '../../src/fs/directory-lock.ts'
import { NodeDevice } from '../../src/fs/node-device.ts'
import type { ProcessTable } from '../../src/fs/process-table.ts'
import { NativeFileHolds } from '../../src/native/native-file-holds.ts'
import { failsWith } from '../../src/testing/expected-failure.ts'
import { SeededRandom } from '../../src/testing/seeded-random.ts'
import { addon, place, testWithAddon } from './addon-test.ts'

const LOCAL = new URL('../../src/local.js', import.meta.url).href

/** Sees no other process, as in another container. */
const ALONE: ProcessTable = {
  self: () => ({ bootId: '', pid: process.pid, startedAt: '' }),
  isAlive: ({ pid }) => pid === process.pid,
}

testWithAddon('a file is held until it is released, and others see it', {}, async (context) => {
  const { directory } = await place(context)
  const [first, second] = [new NativeFileHolds(addon(), directory), new NativeFileHolds(addon(), directory)]
  fs.writeFileSync(path.join(directory, 'a'), 'a')
  fs.linkSync(path.join(directory, 'a'), path.join(directory, 'b'))
  const hold = first.hold('a')
  if (hold === undefined) {
    assert.ok(addon().lockFile(1_000_000, false) === -1, 'only a kernel that refuses is a reason')
    return
  }
  for (const holds of [first, second]) {
    assert.equal(holds.isHeld('a'), true)
    assert.equal(holds.isHeld('b'), true, 'by every name')
    assert.equal(holds.hold('a'), undefined, 'by one at a time')
  }
  hold.release()
  hold.release()
  assert.equal(second.isHeld('b'), false)
  assert.equal(first.isHeld('missing'), false)
  assert.equal(first.hold('missing'), undefined)
})

testWithAddon('a lock is seen from where its process is not, and is free when that was killed', {}, async (context) => {
  const { directory } = await place(context)
  const holds = new NativeFileHolds(addon(), directory)
  const script = `
    const { open } = await import(${JSON.stringify(LOCAL)})
    await open(${JSON.stringify(directory)})
    console.log('open')
    setInterval(() => {}, 1000)`
  const child = spawn(execPath, ['--input-type=module', '-e', script], { stdio: ['ignore', 'pipe', 'inherit'] })
  await once(child.stdout, 'data')
  const acquire = (): Promise<DirectoryLock> =>
    DirectoryLock.acquire({
      device: new NodeDevice(directory),
      directory: '.',
      processes: ALONE,
      random: new SeededRandom(1),
      holds,
    })
  if (holds.isHeld('lock')) await failsWith(acquire, 'LOCKED', 'the process table alone would have said: dead')
  else assert.ok(addon().lockFile(1_000_000, false) === -1, 'only a kernel that refuses is a reason')
  child.kill('SIGKILL')
  await once(child, 'exit')
  const lock = await acquire()
  await lock.release()
})
