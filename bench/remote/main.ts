/** `npm run bench -- remote`: what it costs that parts of a shard are elsewhere. See README.md beside this folder. */

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { argv } from 'node:process'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { terminalTable } from '../report/text-table.ts'
import { compaction } from './compaction.ts'
import { COMPOSITIONS, labelOf, openComposition } from './compositions.ts'
import type { Composition, JobsPlace, OpenRequest, Request } from './compositions.ts'
import { fill, leaveInJournal, measureAppends } from './measurements.ts'
import { Servers } from './servers.ts'
import { loadVarve } from './varve-modules.ts'

const MIB = 1024 * 1024
const PARTS = ['appends', 'compaction', 'takeover'] as const
const USAGE = `usage: npm run bench -- remote [--only ${PARTS.join(',')}] [OPTION…]

  appends      latency and throughput of puts, with the files, the journal, or both elsewhere, beside local
  compaction   puts while compaction runs here, on threads and on workers elsewhere, beside none at all; the first core is
               the application's, with its threads, and all others are everybody else's
  takeover     how long a shard is in nobody's hands when it is opened elsewhere

  --seconds COUNT   of each measurement; default 3
  --rounds COUNT    of compaction, by turns, each in a process of its own; medians; default 5
  --compaction-seconds COUNT
                    of each of these; default 10: a memtable of 32 MiB is full after one
  --mib COUNT       size of the shard that is taken over; default 128
  --tail-mib COUNT  what has to be replayed; default 24
  --workers COUNT   default 2
  --out PATH        results as JSON; default: remote.json in bench/results`

const { values } = parseArgs({
  args: argv.slice(2),
  options: {
    only: { type: 'string', default: PARTS.join(',') },
    seconds: { type: 'string', default: '3' },
    rounds: { type: 'string', default: '5' },
    'compaction-seconds': { type: 'string', default: '10' },
    mib: { type: 'string', default: '128' },
    'tail-mib': { type: 'string', default: '24' },
    workers: { type: 'string', default: '2' },
    out: { type: 'string', default: fileURLToPath(new URL('../../results/remote.json', import.meta.url)) },
    help: { type: 'boolean', default: false },
  },
})
if (values.help) {
  console.log(USAGE)
  process.exit(0)
}
const [seconds, rounds] = [Number(values.seconds), Number(values.rounds)]
const compactionSeconds = Number(values['compaction-seconds'])
const [mib, tailMib] = [Number(values.mib), Number(values['tail-mib'])]
const modules = await loadVarve()
// Short: there are Unix sockets in it, whose paths have 107 bytes at the most.
const directory = mkdtempSync(join(tmpdir(), 'vb-'))
const servers = new Servers(directory)
const results: Record<string, readonly Record<string, unknown>[]> = {}
let shards = 0

try {
  const [filesAt, journalAt] = [await servers.files('f'), await servers.journal('j')]
  const request = (composition: Composition, jobs: JobsPlace, settings: OpenRequest['settings'] = {}): OpenRequest => {
    const shard = `s${++shards}`
    return { composition, jobs, settings, place: { directory: `${directory}/${shard}`, filesAt, journalAt, shard } }
  }
  if (values.only.includes('appends')) results['appends'] = await appends(request)
  if (values.only.includes('compaction')) {
    await servers.workers(filesAt, Number(values.workers))
    results['compaction'] = compaction({ servers, request, seconds: compactionSeconds, rounds })
  }
  if (values.only.includes('takeover')) results['takeover'] = await takeover(request)
} finally {
  await servers.stop()
  rmSync(directory, { recursive: true, force: true })
}
for (const [name, rows] of Object.entries(results)) console.log(`\n${name}\n${tableOf(rows)}`)
mkdirSync(new URL('.', `file://${values.out}`), { recursive: true })
writeFileSync(
  values.out,
  `${JSON.stringify({ seconds, compactionSeconds, rounds, mib, tailMib, ...results }, null, 2)}\n`,
)
console.log(`\n${values.out}`)

async function appends(request: Request): Promise<readonly Record<string, unknown>[]> {
  const rows: Record<string, unknown>[] = []
  for (const composition of COMPOSITIONS) {
    const db = await openComposition(modules, request(composition, 'inline'))
    try {
      for (const durability of ['written', 'synced'] as const) {
        for (const atATime of [1, 64]) {
          const { perSecond, p50Ms, p99Ms } = await measureAppends(db, seconds, atATime, durability)
          const figures = { 'puts/s': Math.round(perSecond), 'p50 ms': fixed(p50Ms), 'p99 ms': fixed(p99Ms) }
          rows.push({ 'parts elsewhere': labelOf(composition), durability, 'at a time': atATime, ...figures })
        }
      }
    } finally {
      await db.close()
    }
  }
  return rows
}

async function takeover(request: Request): Promise<readonly Record<string, unknown>[]> {
  const rows: Record<string, unknown>[] = []
  const made = request('elsewhere', 'inline')
  let owner = await openComposition(modules, made)
  await fill(owner, mib)
  for (const tail of [0, tailMib]) {
    await leaveInJournal(owner, tail)
    const { files, fileBytes } = owner.statistics()
    // The former owner is not asked: it may be dead, or sleep.
    const place = { ...made.place, directory: `${made.place.directory}-${rows.length}` }
    const began = performance.now()
    const next = await openComposition(modules, { ...made, place })
    const openedMs = performance.now() - began
    await next.put(Buffer.from('first'), Buffer.from('write'))
    const writtenMs = performance.now() - began
    const late = await owner.put(Buffer.from('late'), Buffer.from('write')).then(
      () => 'NOT FENCED',
      () => 'fenced',
    )
    rows.push({
      'MiB in files': Math.round(fileBytes / MIB),
      files,
      'MiB to replay': tail,
      'open ms': Math.round(openedMs),
      'first write ms': Math.round(writtenMs),
      'former owner': late,
    })
    await owner.close().catch(() => undefined)
    owner = next
  }
  await owner.close()
  return rows
}

function fixed(ms: number): string {
  return ms.toFixed(3)
}

function tableOf(rows: readonly Record<string, unknown>[]): string {
  const head = Object.keys(rows[0] ?? {})
  return terminalTable([head, ...rows.map((row) => head.map((name) => String(row[name])))])
}
