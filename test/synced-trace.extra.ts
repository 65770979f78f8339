import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { SyncLedger } from './durability/sync-ledger.ts'
import { readTrace } from './durability/trace-reader.ts'

const WRITER = fileURLToPath(new URL('./durability/synced-writer.js', import.meta.url))
const PUTS = 500
const CALLS =
  'trace=openat,mkdir,mkdirat,link,linkat,rename,renameat,renameat2,write,writev,pwrite64,pwritev,pwritev2,fdatasync,fsync'

const tracer = spawnSync('strace', ['-V']).error === undefined
// io_uring writes where no tracer of system calls looks, so the writer runs without the addon.
const env = { ...process.env, VARVE_NATIVE: '0' }

test(
  'the system calls of a writer show every synced put covered when it is acknowledged',
  { skip: tracer ? false : 'strace is not installed' },
  (context) => {
    const root = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'varve-trace-')))
    context.after(() => fs.rmSync(root, { recursive: true, force: true }))
    const record = path.join(root, 'trace')
    const directory = path.join(root, 'db', 'new')
    const traced = [process.execPath, WRITER, directory, String(PUTS)]
    const run = spawnSync('strace', ['-f', '-y', '-s', '100000', '-e', CALLS, '-o', record, ...traced], { env })
    assert.equal(run.status, 0, run.stderr.toString())

    const trace = fs.readFileSync(record, 'utf8')
    const ledger = new SyncLedger()
    const { acknowledged, risks } = readTrace(trace, root, ledger)
    context.diagnostic(`${acknowledged} acknowledged, ${ledger.syncs} syncs of files and directories`)
    assert.equal(acknowledged, PUTS)
    assert.deepEqual(risks, [])

    // The same trace without its data syncs shows every one of them at risk: the check can fail.
    const unsynced = trace.replaceAll(/^.*\bfdatasync\b.*$/gm, '')
    assert.equal(readTrace(unsynced, root, new SyncLedger()).risks.length >= PUTS, true)
  },
)
