/** Limits that the system sets for real: the length of files, and a file system that is only read. */

import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { open } from '../src/local.ts'

const UNTIL_REFUSED = fileURLToPath(new URL('./limits/until-refused.js', import.meta.url))
const TURNED_READ_ONLY = fileURLToPath(new URL('./limits/turned-read-only.js', import.meta.url))

function shell(wrapper: readonly string[], script: string, ...rest: readonly string[]): ReturnType<typeof spawnSync> {
  const [command = 'sh', ...before] = wrapper
  const shellOf = wrapper.length === 0 ? [] : ['sh']
  return spawnSync(command, [...before, ...shellOf, '-c', script, ...rest], { encoding: 'utf8', timeout: 120_000 })
}

test('a process that may write no longer files is told so, and has lost nothing that was acknowledged', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'varve-limits-'))
  try {
    const script = 'ulimit -f 1000 && exec "$0" "$1" "$2"'
    const { stdout, stderr } = shell([], script, process.execPath, UNTIL_REFUSED, directory)
    const { acknowledged, code } = JSON.parse(String(stdout)) as { acknowledged: number; code: string }
    assert.ok(acknowledged > 100, `${acknowledged} writes, ${String(stderr)}`)
    // Some of it may have been written: nobody can say of a write that was cut.
    assert.equal(code, 'OUTCOME_UNKNOWN')
    const db = await open(directory, { jobs: 'inline' })
    let found = 0
    for await (const { value } of db.scan()) {
      assert.equal(value.length, 1000)
      found++
    }
    assert.ok(found === acknowledged || found === acknowledged + 1, `${found} of ${acknowledged} are there`)
    for (let index = 0; index < acknowledged; index++)
      assert.equal((await db.get(Buffer.from(`key ${index}`)))?.[0], index & 0xff, `key ${index}`)
    await db.close()
  } finally {
    rmSync(directory, { recursive: true })
  }
})

const MOUNT = 'mount -t tmpfs -o size=64m varve-test "$0"'
const probe = ((place) => {
  const { status, stderr } = shell(['unshare', '-m'], MOUNT, place)
  rmSync(place, { recursive: true })
  return status === 0 ? false : `no mount namespace of its own: ${String(stderr).trim()}`
})(mkdtempSync(join(tmpdir(), 'varve-limits-')))

test('a database on a file system that is only read is read, and refuses to be written', { skip: probe }, () => {
  const place = mkdtempSync(join(tmpdir(), 'varve-limits-'))
  try {
    const script = `${MOUNT} && exec "$1" "$2" "$0"`
    const ended = shell(['unshare', '-m'], script, place, process.execPath, TURNED_READ_ONLY)
    assert.equal(ended.status, 0, `${String(ended.stdout)}\n${String(ended.stderr)}`)
  } finally {
    rmSync(place, { recursive: true })
  }
})
