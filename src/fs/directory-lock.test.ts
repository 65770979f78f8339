import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import fs from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { Worker } from 'node:worker_threads'
import type { Device } from '../kernel/device.ts'
import { isCode } from '../kernel/errors.ts'
import { failsWith } from '../testing/expected-failure.ts'
import { SeededRandom } from '../testing/seeded-random.ts'
import { SimulatedDevice } from '../testing/simulated-device.ts'
import { failure } from '../testing/simulated-failure.ts'
import { DirectoryLock } from './directory-lock.ts'
import type { FileHolds } from './file-holds.ts'
import { NodeDevice } from './node-device.ts'
import { NodeProcessTable } from './node-process-table.ts'
import type { ProcessIdentity, ProcessTable } from './process-table.ts'

/** Processes that live until they are struck off. */
class SimulatedProcesses {
  readonly #alive = new Set<number>()

  start(pid: number): ProcessTable {
    this.#alive.add(pid)
    const self: ProcessIdentity = { bootId: 'boot', pid, startedAt: String(pid * 100) }
    return { self: () => self, isAlive: (identity) => this.isAlive(identity.pid) }
  }

  kill(pid: number): void {
    this.#alive.delete(pid)
  }

  isAlive(pid: number): boolean {
    return this.#alive.has(pid)
  }
}

const acquire = (device: Device, processes: ProcessTable, seed: number): Promise<DirectoryLock> =>
  DirectoryLock.acquire({ device, directory: '.', processes, random: new SeededRandom(seed) })

async function write(device: Device, path: string, text: string): Promise<void> {
  const file = await device.open(path, 'create')
  await file.write([new TextEncoder().encode(text)], 0)
  await file.close()
}

test('while a lock is held nobody else gets one, and hears who holds it; released, it leaves nothing', async () => {
  const device = new SimulatedDevice()
  const processes = new SimulatedProcesses()
  const first = await acquire(device, processes.start(7), 1)
  for (const pid of [8, 7]) {
    await assert.rejects(acquire(device, processes.start(pid), 10 + pid), (error) => {
      assert.ok(isCode(error, 'LOCKED'))
      assert.deepEqual(error.details, { path: '.', holder: { pid: 7 } })
      return true
    })
  }
  await first.release()
  await first.release()
  assert.deepEqual(device.files(), [])
  await acquire(device, processes.start(8), 3)
})

test('a holder that the process table does not see is found by its hold, and its lock is free once that ends', async () => {
  const device = new SimulatedDevice()
  const processes = new SimulatedProcesses()
  const held = new Set<number>()
  // By inode, as the system does: the lock file has more than one name.
  const inode = (path: string): number | undefined => device.statSync(path)?.identity
  const holds: FileHolds = {
    hold: (path) => {
      const identity = inode(path)
      assert.ok(identity !== undefined)
      held.add(identity)
      return { release: () => void held.delete(identity) }
    },
    isHeld: (path) => held.has(inode(path) ?? -1),
  }
  const open = (pid: number): Promise<DirectoryLock> =>
    DirectoryLock.acquire({
      device,
      directory: '.',
      processes: processes.start(pid),
      random: new SeededRandom(pid),
      holds,
    })
  const far = await open(7)
  processes.kill(7)
  await failsWith(() => open(8), 'LOCKED', 'process 7 is out of sight, not dead')
  held.clear()
  const near = await open(9)
  await far.release()
  await failsWith(() => open(10), 'LOCKED', 'the one before released its own lock, not this')
  assert.equal(held.size, 1, 'those who did not get it hold nothing')
  await near.release()
  assert.equal(held.size, 0)
  assert.deepEqual(device.files(), [])
})

test('who cannot take the lock hears of the first failure, whatever fails while it clears away behind it', async () => {
  let count = 0
  const device = new SimulatedDevice({
    before: ({ operation, path }) => {
      if (operation === 'link' || count > 0) throw failure(count++ === 0 ? 'NO_SPACE' : 'IO_FAILED', operation, path)
    },
  })
  await assert.rejects(acquire(device, new SimulatedProcesses().start(1), 1), { code: 'NO_SPACE' })
  assert.ok(count > 3, 'the link, its own place, the lock, the file aside')
  await acquire(device.shared({}), new SimulatedProcesses().start(2), 2)
})

// They stayed, one more for each process that was killed there, and `destroy` left the directory because of them.
test('files of processes that were killed before they had the lock are removed by an owner, those of live ones are not', async () => {
  const device = new SimulatedDevice()
  const processes = new SimulatedProcesses()
  const names = [1, 2].map((pid) => `lock-000000000000000${pid}`)
  for (const [index, name] of names.entries()) {
    const { bootId, pid, startedAt } = processes.start(index + 1).self()
    await write(device, name, `varve lock 1\n${bootId}\n${pid}\n${startedAt}\n${name.slice(5)}\n`)
  }
  // Of somebody who is just writing it, perhaps.
  const torn = 'lock-0000000000000009'
  await write(device, torn, '')
  processes.kill(1)
  const lock = await acquire(device, processes.start(3), 3)
  await lock.removeLeftovers()
  assert.deepEqual(device.files(), ['lock', names[1], torn])
  await lock.release()
  assert.deepEqual(device.files(), [names[1], torn])
})

test('where the lock file cannot be written nobody is kept out by what there is of it', async () => {
  for (const failing of ['write', 'sync']) {
    let count = 0
    const device = new SimulatedDevice({
      before: ({ operation, path }) => {
        if (operation === failing || (count > 0 && operation === 'unlink')) {
          throw failure(count++ === 0 ? 'NO_SPACE' : 'IO_FAILED', operation, path)
        }
      },
    })
    await failsWith(() => acquire(device, new SimulatedProcesses().start(1), 1), 'NO_SPACE', `the first ${failing}`)
    assert.ok(count > 1, 'the file aside could not be removed either')
    const next = await acquire(device.shared({}), new SimulatedProcesses().start(2), 2)
    await next.release()
  }
})

test('releasing removes the own lock and no other', async () => {
  const device = new SimulatedDevice()
  const processes = new SimulatedProcesses()
  const first = await acquire(device, processes.start(1), 1)
  processes.kill(1)
  const second = await acquire(device, processes.start(2), 2)
  await first.release()
  await assert.rejects(acquire(device, processes.start(3), 3), (error) => isCode(error, 'LOCKED'))
  await second.release()
  assert.deepEqual(device.files(), [])
})

test('a lock file that only a power cut can have left is taken over', async () => {
  const whole = 'varve lock 1\nboot\n1\n100\n0123456789abcdef\n'
  const torn = ['', '\0'.repeat(100), ...Array.from({ length: whole.length }, (_, length) => whole.slice(0, length))]
  for (const text of [...torn, `${whole.slice(0, 20)}${'\0'.repeat(20)}`]) {
    const device = new SimulatedDevice()
    await write(device, 'lock', text)
    const lock = await acquire(device, new SimulatedProcesses().start(2), 1)
    assert.deepEqual(device.files(), ['lock'], JSON.stringify(text))
    await lock.release()
    assert.deepEqual(device.files(), [])
  }
})

test('a lock file that cannot be read for another reason may be held: it is left alone, and named', async () => {
  for (const text of [
    'varve lock 2\nanything\n',
    'varve lock 1\nboot\n1\n100\n0123456789abcdeX\n',
    'varve lock 1\nboot\n1\n100\n0123456789abcdef\nmore\n',
    'something else',
  ]) {
    const device = new SimulatedDevice()
    await write(device, 'lock', text)
    await assert.rejects(acquire(device, new SimulatedProcesses().start(2), 1), (error) => {
      assert.ok(isCode(error, 'LOCKED'), JSON.stringify(text))
      assert.equal(error.details['file'], 'lock')
      return true
    })
    assert.deepEqual(device.files(), ['lock'])
  }
})

/** A program that takes the lock of `directory`, says `held` (or why not), and stays. */
function program(directory: string, say: string): string {
  const module = (name: string): string => JSON.stringify(new URL(name, import.meta.url).href)
  return `
    const { DirectoryLock } = await import(${module('./directory-lock.js')})
    const { NodeDevice } = await import(${module('./node-device.js')})
    const { NodeProcessTable } = await import(${module('./node-process-table.js')})
    const { SeededRandom } = await import(${module('../testing/seeded-random.js')})
    const [device, processes] = [new NodeDevice(${JSON.stringify(directory)}), new NodeProcessTable()]
    const options = { device, directory: '.', processes, random: new SeededRandom(99) }
    ${say}(await DirectoryLock.acquire(options).then(() => 'held', (error) => error.code))
    setInterval(() => {}, 1000)`
}

async function inDirectory(body: (directory: string) => Promise<void>): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'varve-lock-'))
  try {
    await body(directory)
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
}

async function hold(directory: string): Promise<ChildProcess> {
  const code = program(directory, 'process.stdout.write')
  const child = spawn(process.execPath, ['--input-type=module', '-e', code], { stdio: ['ignore', 'pipe', 'inherit'] })
  const [said] = (await once(child.stdout, 'data')) as [Buffer]
  assert.equal(said.toString(), 'held')
  return child
}

test('a process killed with its lock leaves no stale one, even before its parent has noticed', async () => {
  await inDirectory(async (directory) => {
    const device = new NodeDevice(directory)
    const processes = new NodeProcessTable()
    const child = await hold(directory)
    await assert.rejects(acquire(device, processes, 1), (error) => {
      assert.ok(isCode(error, 'LOCKED'))
      assert.deepEqual(error.details['holder'], { pid: child.pid })
      return true
    })
    const exited = once(child, 'exit')
    child.kill('SIGKILL')
    // Not yet waited for it is a zombie, whose number still answers.
    const deadline = Date.now() + 60_000
    let lock: DirectoryLock | undefined
    while (lock === undefined) {
      lock = await acquire(device, processes, 2).catch((error: unknown) => {
        if (!isCode(error, 'LOCKED') || Date.now() > deadline) throw error
        return undefined
      })
    }
    await exited
    assert.deepEqual(fs.readdirSync(directory), ['lock'])
    await lock.release()
    assert.deepEqual(fs.readdirSync(directory), [])
  })
})

test('another thread of the process that holds the lock does not get it', async () => {
  await inDirectory(async (directory) => {
    const lock = await acquire(new NodeDevice(directory), new NodeProcessTable(), 1)
    const code = `import('node:worker_threads').then(async ({ parentPort }) => {
      ${program(directory, 'parentPort.postMessage')}
    })`
    const worker = new Worker(code, { eval: true })
    const [answer] = (await once(worker, 'message')) as [string]
    await worker.terminate()
    assert.equal(answer, 'LOCKED')
    await lock.release()
  })
})

test('a process number that is used again, or was of another boot, is not its old owner', () => {
  const table = new NodeProcessTable()
  const self = table.self()
  assert.ok(table.isAlive(self))
  assert.ok(!table.isAlive({ ...self, bootId: 'another boot' }))
  if (self.startedAt !== '') assert.ok(!table.isAlive({ ...self, startedAt: `${Number(self.startedAt) - 1}` }))
})
