/**
 * The printed worker for an engine of one's own compacts for the engine of the guide, over a real server, for somebody who
 * has installed the package.
 *
 * Extra, because it installs packages.
 */

import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { cpSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { execPath } from 'node:process'
import { after, test } from 'node:test'
import { StrangersProject } from '../strangers-project.ts'
import { PrintedPage } from './printed-page.ts'

/** Counts over parts elsewhere, with nobody here who could compact. */
const APPLICATION = (address: string): string => `
import { SystemClock, SystemRandom } from 'varve'
import { RemoteFileStore, RemoteHeadStore } from 'varve/fs/remote'
import { WorkerScheduler } from 'varve/jobs'
import { RemoteScheduler } from 'varve/jobs/remote'
import { RemoteJournalSystem } from 'varve/journal/remote'
import { loadHash, shardId } from 'varve/kernel'
import { remoteWorkers } from 'varve/remote-workers'
import { RpcClient, dialSocket } from 'varve/rpc'
import { HANDLERS, PageViews } from './page-views.ts'

const [clock, random, hash] = [new SystemClock(), new SystemRandom(), await loadHash()]
const address = '${address}'
const client = new RpcClient({ dial: dialSocket(address), clock, random, hash })
const files = new RemoteFileStore({ client })
const handlers = Object.fromEntries(Object.entries(HANDLERS).map(([name, { url }]) => [name, url.href]))
const localJobs = new WorkerScheduler({ clock, composition: remoteWorkers({ address, handlers }) })
const local = new WorkerScheduler({ clock, composition: remoteWorkers({ address, handlers: {} }) })
const jobs = new RemoteScheduler({ client, shard: 'counts', clock, random, local })
const journal = await RemoteJournalSystem.connect({ client, random })
const heads = new RemoteHeadStore({ client })
const shard = shardId('counts')
const views = await PageViews.open({ shard, files, heads, journal, jobs, localJobs, clock, random, hash })
for (let day = 0; day < 12; day++) {
  for (let page = 0; page < 100; page++) void views.add(page, day)
  await views.shard.flush()
}
await views.shard.settle()
const { compactions, jobFailures } = views.shard.statistics()
console.log(JSON.stringify({ compactions, jobFailures, days: (await views.totals('day')).size }))
await views.shard.close()
await jobs.close()
await local.close()
await localJobs.close()
await files.close()
await client.close()
`

const stranger = new StrangersProject()
after(() => stranger.remove())

test('an engine of one’s own is compacted by the worker that the manual prints', async (context) => {
  const address = `unix:${join(stranger.scratch, 'varve.sock')}`
  const source = join(stranger.path, 'page-views')
  cpSync(join(stranger.path, 'node_modules/varve/examples/custom-engine'), source, { recursive: true })
  const printed = new PrintedPage('docs/remote.md').fence('ts', 'new JobWorker(', { 'unix:/run/varve.sock': address })
  writeFileSync(join(source, 'worker.ts'), printed)
  writeFileSync(join(source, 'application.ts'), APPLICATION(address))
  const options = { noUncheckedIndexedAccess: true, rewriteRelativeImportExtensions: true, skipLibCheck: true }
  assert.equal(stranger.compile(source, ['worker.ts', 'application.ts'], options), '')

  const directories = ['--files', join(stranger.scratch, 'files'), '--journal', join(stranger.scratch, 'journal')]
  const command = join(stranger.path, 'node_modules/.bin/varve')
  const server = spawn(command, ['serve', ...directories, '--jobs', '0', '--listen', address])
  context.after(() => void server.kill())
  await new Promise((resolve) => void server.stdout.once('data', resolve))
  const worker = spawn(execPath, [join(source, 'worker.js')], { stdio: 'ignore' })
  context.after(() => void worker.kill())

  const { stdout, stderr } = spawnSync(execPath, [join(source, 'application.js')], {
    encoding: 'utf8',
    timeout: 120_000,
  })
  assert.equal(stderr, '')
  const { compactions, jobFailures, days } = JSON.parse(stdout) as Record<string, number>
  assert.ok((compactions ?? 0) > 0, 'there was something to compact')
  assert.deepEqual({ jobFailures, days }, { jobFailures: 0, days: 12 })
})
