/**
 * The main job: a real tree of files through everything a shard does, and every byte compared with the disk.
 *
 *      ingest → read back → scan → snapshot, delete a third, compare both → flush, compact → close
 *             → reopen in another process, compare again, verify → figures and a drawing
 *
 * Nothing is believed: what must be there and what must be gone is kept in a ledger of our own, with a checksum of every
 * file taken when it was read.
 */

import { join } from 'node:path'
import type { KvShard } from '../../engines/kv/kv-shard.ts'
import type { KvStatistics } from '../../engines/kv/kv.ts'
import { RESERVE_NAME } from '../../fs/local-reserve.ts'
import { loadHash } from '../../kernel/hash.ts'
import type { Hash } from '../../kernel/hash.ts'
import { open } from '../../local.ts'
import type { CommandContext } from '../command.ts'
import { drawShard } from '../shard-drawing.ts'
import { formatBytes, formatNumberOf } from '../quantities.ts'
import { UsageError } from '../usage-error.ts'
import { compareGone, compareWithDisk } from './comparison.ts'
import { deleteThird } from './deletion.ts'
import { directoryBytes } from '../disk-usage.ts'
import { addFindings, noFindings } from './findings.ts'
import type { Findings } from './findings.ts'
import { ingest } from './ingest.ts'
import type { Ingestion } from './ingest.ts'
import { userBytes } from './ingested-file.ts'
import type { IngestedFile } from './ingested-file.ts'
import { listTree } from '../tree-files/input-tree.ts'
import type { InputTree } from '../tree-files/input-tree.ts'
import { writeLedger } from './ledger.ts'
import { ledgerPath } from './ledger-path.ts'
import { PhaseLog } from './phase-log.ts'
import { checkScan } from './scan-check.ts'
import { checkInSecondProcess } from './second-process.ts'

export interface MainJobReport {
  readonly findings: Findings
  readonly phases: PhaseLog
  readonly tree: InputTree
  readonly ingestion: Ingestion
  /** Taken just before the shard was closed for the first time. */
  readonly statistics: KvStatistics
  readonly drawing: readonly string[]
  readonly userBytesWritten: number
  readonly userBytesLive: number
  readonly directoryBytes: number
}

/** What the phases share. */
interface Job {
  readonly shard: KvShard
  readonly hash: Hash
  readonly tree: InputTree
  readonly log: PhaseLog
  readonly findings: Findings
  readonly signal: AbortSignal
}

/**
 * @param data where the shard will be; nothing may be there yet
 * @throws {UsageError} no files; and what the shard throws
 */
export async function runMainJob(input: string, data: string, context: CommandContext): Promise<MainJobReport> {
  const { output, signal } = context
  const log = new PhaseLog(context)
  const hash = await loadHash()
  const tree = await log.run({ name: 'list' }, () => listTree(input, { except: [data], signal }))
  if (tree.files.length === 0) throw new UsageError(`there are no files below ${tree.root}`)
  output.note(`${formatNumberOf(tree.files.length, 'file')}, ${formatBytes(tree.bytes)}, below ${tree.root}`)

  const findings = noFindings()
  const shard = await log.run({ name: 'open' }, () => open(data, { errorIfExists: true }))
  const job: Job = { shard, hash, tree, log, findings, signal }
  let ingestion: Ingestion
  let deletionBytes: number
  let statistics: KvStatistics
  let drawing: readonly string[]
  try {
    ingestion = await log.run({ name: 'ingest', item: 'file', total: tree.files.length }, (progress) =>
      ingest(shard, tree, hash, progress, signal),
    )
    await readBack(job, ingestion.files)
    await scanAll(job, ingestion.files)
    deletionBytes = await deleteUnderSnapshot(job, ingestion.files)
    await log.run({ name: 'compact' }, () => shard.compactRange())
    statistics = shard.statistics()
    drawing = drawShard(shard, output.columns)
  } finally {
    await log.run({ name: 'close' }, () => shard.close())
  }

  await writeLedger(ledgerPath(data), { root: tree.root, files: ingestion.files }, hash)
  const second = await checkInSecondProcess(data, tree.root, signal)
  log.adopt(second.phases)
  addFindings(findings, second.findings)
  return {
    findings,
    phases: log,
    tree,
    ingestion,
    statistics,
    drawing,
    userBytesWritten: ingestion.userBytes + deletionBytes,
    userBytesLive: bytesOf(ingestion.files.filter(({ deleted }) => !deleted)),
    directoryBytes: await directoryBytes(data, [ledgerPath(data), join(data, RESERVE_NAME)]),
  }
}

async function readBack(
  { shard, hash, tree, log, findings, signal }: Job,
  files: readonly IngestedFile[],
): Promise<void> {
  await log.run({ name: 'read back', item: 'file', total: files.length }, async (progress) =>
    addFindings(findings, await compareWithDisk({ shard, root: tree.root, hash, progress, signal }, files)),
  )
}

/** Both families, both ways. */
async function scanAll({ shard, hash, log, findings, signal }: Job, files: readonly IngestedFile[]): Promise<void> {
  for (const reverse of [false, true]) {
    const name = reverse ? 'scan backward' : 'scan forward'
    await log.run({ name, item: 'entry', total: 2 * files.length }, async (progress) => {
      for (const family of ['content', 'stamp'] as const) {
        addFindings(findings, await checkScan(shard, hash, { family, reverse, files }, progress, signal))
      }
    })
  }
}

/**
 * Deletes a third and looks at both worlds: the snapshot must see everything, the present only what is left.
 *
 * @returns bytes of the keys of the deletions
 */
async function deleteUnderSnapshot(job: Job, files: readonly IngestedFile[]): Promise<number> {
  const { shard, hash, tree, log, findings, signal } = job
  const parts = { shard, root: tree.root, hash, signal }
  // What is deleted is in a table before the deletion is, so that compaction has something to bring together.
  await log.run({ name: 'flush' }, () => shard.flush())
  const snapshot = shard.snapshot()
  try {
    const bytes = await log.run(
      { name: 'delete a third', item: 'file', total: Math.ceil(files.length / 3) },
      (progress) => deleteThird(shard, files, progress, signal),
    )
    // The deletions go to a table too, so that the snapshot is seen to hold across a flush.
    await log.run({ name: 'flush deletions' }, () => shard.flush())
    await log.run({ name: 'compare snapshot', item: 'file', total: files.length }, async (progress) =>
      addFindings(findings, await compareWithDisk({ ...parts, progress }, files, { snapshot })),
    )
    await log.run({ name: 'scan snapshot', item: 'entry', total: files.length }, async (progress) =>
      addFindings(
        findings,
        await checkScan(shard, hash, { family: 'content', reverse: false, snapshot, files }, progress, signal),
      ),
    )
    const gone = files.filter(({ deleted }) => deleted)
    const kept = files.filter(({ deleted }) => !deleted)
    await log.run({ name: 'look for deleted', item: 'file', total: gone.length }, async (progress) =>
      addFindings(findings, await compareGone({ ...parts, progress }, gone)),
    )
    await log.run({ name: 'scan what is left', item: 'entry', total: kept.length }, async (progress) =>
      addFindings(
        findings,
        await checkScan(shard, hash, { family: 'content', reverse: false, files: kept }, progress, signal),
      ),
    )
    return bytes
  } finally {
    snapshot.close()
  }
}

function bytesOf(files: readonly IngestedFile[]): number {
  return files.reduce((sum, file) => sum + userBytes(file), 0)
}
