import assert from 'node:assert/strict'
import { test } from 'node:test'
import { VarveError } from '../kernel/errors.ts'
import type { Device } from '../kernel/device.ts'
import { SimulatedDevice } from '../testing/simulated-device.ts'
import { readLockFile, writeLockFile } from './lock-file.ts'
import type { LockHolder } from './lock-file.ts'

const HOLDER: LockHolder = { bootId: 'b'.repeat(36), pid: 4711, startedAt: '183749', nonce: '9f86d081884c7d65' }
const WHOLE = `varve lock 1\n${HOLDER.bootId}\n4711\n183749\n9f86d081884c7d65\n`

async function holding(text: string): Promise<Device> {
  const device = new SimulatedDevice()
  const file = await device.open('lock', 'create')
  await file.write([new TextEncoder().encode(text)], 0)
  await file.close()
  return device
}

test('a lock file is read as it was written, also after a power cut: whoever shows it has it whole', async () => {
  const device = new SimulatedDevice()
  const file = await writeLockFile(device, 'lock', HOLDER)
  await file.close()
  assert.deepEqual(await readLockFile(device, 'lock'), HOLDER)
  assert.deepEqual(await readLockFile(await holding(WHOLE), 'lock'), HOLDER)
  const after = device.crash({ data: 'none', names: 'all' }, 1, {})
  assert.deepEqual(await readLockFile(after, 'lock'), HOLDER)
})

test('a lock file that is not there has no holder; one that cannot be read is an error', async () => {
  const device = new SimulatedDevice()
  assert.equal(await readLockFile(device, 'lock'), undefined)
  const refused = { open: () => Promise.reject(new VarveError('PERMISSION_DENIED', 'no')) } as unknown as Device
  await assert.rejects(readLockFile(refused, 'lock'), { code: 'PERMISSION_DENIED' })
})

test('only what a power cut can have left of a lock file counts as left behind', async () => {
  for (const text of ['', '\0', '\0'.repeat(100), ...Array.from(WHOLE, (_, index) => WHOLE.slice(0, index))])
    assert.equal(await readLockFile(await holding(text), 'lock'), 'torn', JSON.stringify(text))
})

test('a lock file that is damaged, or of another version, may be held', async () => {
  const damaged = [
    WHOLE.replace('lock 1', 'lock 2'),
    'another thing',
    'x',
    `\n${WHOLE}`,
    `${WHOLE}more`,
    `${WHOLE}\n`,
    WHOLE.replace('4711', '47x1'),
    WHOLE.replace('4711', ''),
    WHOLE.replace('4711', '47110000000'),
    WHOLE.replace('9f86', '9F86'),
    WHOLE.replace('9f86', '9f8'),
    `${WHOLE.slice(0, 20)}\0${WHOLE.slice(21)}`.replace('varve', 'var\0e'),
  ]
  for (const text of damaged)
    assert.equal(await readLockFile(await holding(text), 'lock'), 'unreadable', JSON.stringify(text))
})

test('no descriptor is left open, whether a lock file can be read and written or not', async () => {
  let open = 0
  const failing = (write: boolean): Device =>
    ({
      open: () => {
        open++
        const fails = (): Promise<never> => Promise.reject(new VarveError('IO_FAILED', 'broken'))
        return Promise.resolve({
          read: fails,
          write: write ? fails : () => Promise.resolve(),
          sync: fails,
          close: () => {
            open--
            return Promise.resolve()
          },
        })
      },
    }) as unknown as Device
  await assert.rejects(readLockFile(failing(true), 'lock'), { code: 'IO_FAILED' })
  for (const write of [true, false])
    await assert.rejects(writeLockFile(failing(write), 'lock', HOLDER), { code: 'IO_FAILED' })
  assert.equal(open, 0)
})
