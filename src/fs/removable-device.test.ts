import assert from 'node:assert/strict'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { NodeDevice } from './node-device.ts'
import { RemovableDevice } from './removable-device.ts'

test('what was made through the device is removed, in whatever way, and nothing that others have put there', async (context) => {
  const place = mkdtempSync(join(tmpdir(), 'varve-removable-'))
  context.after(() => rmSync(place, { recursive: true }))
  const root = join(place, 'made')
  mkdirSync(join(place, 'source'))
  for (const name of ['source/elsewhere', 'kept']) writeFileSync(join(place, name), 'of others')
  const device = new RemovableDevice(root)
  await device.makeDirectory('.')
  await device.makeDirectory('folder')
  await (await device.open('folder/created', 'create')).close()
  await device.link('folder/created', 'linked')
  await device.linkFrom(new NodeDevice(join(place, 'source')), 'elsewhere', 'folder/from-elsewhere')
  await device.makeDirectory('empty')
  await device.unlink('linked')
  await device.removeMade()
  assert.ok(!existsSync(root), readdirSync(place, { recursive: true }).join())

  await device.makeDirectory('folder')
  await (await device.open('folder/created', 'create')).close()
  writeFileSync(join(root, 'folder', 'of-others'), '')
  await device.removeMade()
  assert.deepEqual(readdirSync(join(root, 'folder')), ['of-others'])
  assert.deepEqual(readdirSync(join(place, 'source')), ['elsewhere'])
})
