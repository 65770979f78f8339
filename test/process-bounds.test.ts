/** What a database takes of its process: nothing outside of its directory, and nothing that is left when it is closed. */

import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { VarveError } from '../src/kernel/errors.ts'
import { open } from '../src/local.ts'

const WITHIN = new URL('./process-bounds/within.js', import.meta.url)
const SETTINGS = { memtableBytes: 65_536, tableBytes: 8192, blockBytes: 512, cacheBytes: 0 }
// `lz4-napi` is one.
const ADDONS = ['--allow-addons'].filter((flag) => process.allowedNodeEnvironmentFlags.has(flag))
const PERMISSION = ['--permission', '--experimental-permission'].find((flag) =>
  process.allowedNodeEnvironmentFlags.has(flag),
)

test(
  'what the permission model of Node refuses is PERMISSION_DENIED, and a directory that may not be written stays empty',
  {
    skip: PERMISSION === undefined ? 'this Node has no permission model' : false,
  },
  () => {
    const parent = mkdtempSync(join(tmpdir(), 'varve-bounds-'))
    const run = (allowed: string): ReturnType<typeof spawnSync> =>
      spawnSync(
        process.execPath,
        [
          PERMISSION as string,
          ...ADDONS,
          '--allow-fs-read=*',
          `--allow-fs-write=${allowed}`,
          fileURLToPath(WITHIN),
          join(parent, 'db'),
        ],
        { encoding: 'utf8', env: { ...process.env, VARVE_NATIVE: '0' } },
      )
    try {
      // Node 20.20.2 refuses every sync under it, so there is no test of a database that is permitted.
      mkdirSync(join(parent, 'db'))
      const elsewhere = run(join(parent, 'elsewhere'))
      assert.match(String(elsewhere.stderr), /PERMISSION_DENIED/)
      assert.deepEqual(readdirSync(join(parent, 'db')), [])
    } finally {
      rmSync(parent, { recursive: true })
    }
  },
)

test(
  'closing in the midst of reads, scans and writes settles all of them, and leaves no file and no timer behind',
  {
    skip: existsSync('/proc/self/fd') ? false : 'nobody tells which files are open',
  },
  async () => {
    const parent = mkdtempSync(join(tmpdir(), 'varve-bounds-'))
    const timers = (): number => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length
    const files = (): number => readdirSync('/proc/self/fd').length
    try {
      let before: { readonly files: number; readonly timers: number } | undefined
      let refused = 0
      for (let round = 0; round < 6; round++) {
        const db = await open(join(parent, 'db'), { jobs: 'inline', settings: SETTINGS })
        for (let index = 0; index < 200; index++)
          void db.put(keyOf(index), Buffer.alloc(300, round)).catch(() => undefined)
        await db.flush()
        const calls: Promise<unknown>[] = []
        for (let index = 0; index < 50; index++) {
          calls.push(db.get(keyOf(index)), db.put(keyOf(index), Buffer.alloc(300), { durability: 'synced' }))
          if (index % 10 === 0) calls.push(countOf(db.scan()), db.flush(), db.compactRange())
          if (index % 20 === round) await Promise.resolve()
        }
        const closing = db.close()
        for (const result of await Promise.allSettled(calls)) {
          if (result.status === 'fulfilled') continue
          assert.ok(result.reason instanceof VarveError, String(result.reason))
          refused++
        }
        await closing
        // The first opening loads what stays for good.
        before ??= { files: files(), timers: timers() }
        assert.deepEqual({ files: files(), timers: timers() }, before, `round ${round}`)
      }
      assert.ok(refused > 0, 'nothing was under way when it was closed')
    } finally {
      rmSync(parent, { recursive: true })
    }
  },
)

function keyOf(index: number): Buffer {
  return Buffer.from(`key ${String(index).padStart(4, '0')}`)
}

async function countOf(entries: AsyncIterable<unknown>): Promise<number> {
  let count = 0
  for await (const entry of entries) count += entry === undefined ? 0 : 1
  return count
}
