import assert from 'node:assert/strict'
import { test } from 'node:test'
import { resolveLevelOptions } from './level-options.ts'

test("classic-level's options become the settings that do the same", () => {
  const resolved = resolveLevelOptions({
    cacheSize: 1,
    writeBufferSize: 2,
    blockSize: 3,
    maxOpenFiles: 4,
    maxFileSize: 5,
    compression: false,
  })
  assert.deepEqual(resolved, {
    createIfMissing: true,
    errorIfExists: false,
    readOnly: false,
    settings: {
      cacheBytes: 1,
      memtableBytes: 2,
      blockBytes: 3,
      openFilesMax: 4,
      tableBytes: 5,
      compression: 'none',
    },
  })
  assert.deepEqual(resolveLevelOptions({ compression: true }).settings, { compression: 'lz4' })
})

test('what classic-level knows and varve does not is ignored', () => {
  const options = { createIfMissing: true, multithreading: true, blockRestartInterval: 16, keyEncoding: 'json' }
  assert.deepEqual(resolveLevelOptions(options).settings, {})
})

test("varve's own settings win over the other names", () => {
  const { settings } = resolveLevelOptions({ cacheSize: 1, settings: { cacheBytes: 7, level0Files: 3 } })
  assert.deepEqual(settings, { cacheBytes: 7, level0Files: 3 })
})

test('an option of the wrong type is refused by name', () => {
  const wrong = {
    createIfMissing: 1,
    errorIfExists: 'no',
    readOnly: null,
    compression: 'lz4',
    cacheSize: '8',
    writeBufferSize: true,
    blockSize: {},
    maxOpenFiles: 10n,
    maxFileSize: null,
    settings: 'small',
    clock: 1,
    openShard: {},
  }
  for (const [name, value] of Object.entries(wrong)) {
    assert.throws(() => resolveLevelOptions({ [name]: value }), {
      name: 'TypeError',
      message: new RegExp(`^${name} must`),
    })
  }
})
