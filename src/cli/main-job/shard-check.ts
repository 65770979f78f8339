/**
 * The second half of the job, for a process that has not seen the first: opens the shard, holds everything against the
 * disk and against the record of what was ingested, closes it, and verifies every byte of every table.
 */

import type { KvShard } from '../../engines/kv/kv-shard.ts'
import { loadHash } from '../../kernel/hash.ts'
import type { Hash } from '../../kernel/hash.ts'
import { open } from '../../local.ts'
import type { CommandContext } from '../command.ts'
import { describeError } from '../failure.ts'
import { compareGone, compareWithDisk } from './comparison.ts'
import { addFindings, noFindings } from './findings.ts'
import type { Findings } from './findings.ts'
import { resolveRoot } from '../tree-files/input-tree.ts'
import { readLedger } from './ledger.ts'
import type { Ledger } from './ledger.ts'
import { ledgerPath } from './ledger-path.ts'
import { PhaseLog } from './phase-log.ts'
import type { Phase } from './phase-log.ts'
import { checkScan } from './scan-check.ts'

/** Plain data: crosses from one process to the other. */
export interface ShardCheckReport {
  readonly phases: readonly Phase[]
  readonly findings: Findings
}

/** @param input the tree to compare with; undefined: where the files were when they were ingested */
export async function checkShard(
  data: string,
  input: string | undefined,
  context: CommandContext,
): Promise<ShardCheckReport> {
  const hash = await loadHash()
  const ledger = await readLedger(ledgerPath(data), hash)
  const root = await resolveRoot(input ?? ledger.root)
  const log = new PhaseLog(context)
  const findings = noFindings()

  const shard = await log.run({ name: 'reopen' }, () => open(data, { createIfMissing: false }))
  try {
    await compareEverything(shard, { ...ledger, root }, hash, context, log, findings)
  } finally {
    await shard.close()
  }
  await verifyTables(data, context, log, findings)
  return { phases: log.phases, findings }
}

async function compareEverything(
  shard: KvShard,
  { root, files }: Ledger,
  hash: Hash,
  { signal }: CommandContext,
  log: PhaseLog,
  findings: Findings,
): Promise<void> {
  const kept = files.filter(({ deleted }) => !deleted)
  const gone = files.filter(({ deleted }) => deleted)
  const parts = { shard, root, hash, signal }
  await log.run({ name: 'compare again', item: 'file', total: kept.length }, async (progress) =>
    addFindings(findings, await compareWithDisk({ ...parts, progress }, kept)),
  )
  await log.run({ name: 'look for deleted', item: 'file', total: gone.length }, async (progress) =>
    addFindings(findings, await compareGone({ ...parts, progress }, gone)),
  )
  await log.run({ name: 'scan again', item: 'entry', total: 2 * kept.length }, async (progress) => {
    for (const family of ['content', 'stamp'] as const) {
      addFindings(findings, await checkScan(shard, hash, { family, reverse: false, files: kept }, progress, signal))
    }
  })
}

async function verifyTables(data: string, context: CommandContext, log: PhaseLog, findings: Findings): Promise<void> {
  const { signal } = context
  const shard = await open(data, { readOnly: true })
  try {
    const total = shard.statistics().files
    await log.run({ name: 'verify tables', item: 'table', total }, async (progress) => {
      for await (const { table, damage } of shard.verify({ signal })) {
        if (damage === undefined) findings.equal++
        else findings.differences.push(`table ${table.file.ref.name}: ${describeError(damage)}`)
        progress.advance(1, table.file.ref.bytes)
      }
    })
  } finally {
    await shard.close()
  }
}
