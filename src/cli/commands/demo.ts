/** `varve demo`: the main job. Also what `npm start` runs. */

import { mkdir, mkdtemp, realpath, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { deviceError } from '../../fs/device-error.ts'
import type { CommandArguments } from '../command-arguments.ts'
import type { Command, CommandContext } from '../command.ts'
import { EXIT_CODES } from '../exit-code.ts'
import type { ExitCode } from '../exit-code.ts'
import { runMainJob } from '../main-job/main-job.ts'
import { printMainJob, printVerdict } from '../main-job/main-job-report.ts'
import { checkShard } from '../main-job/shard-check.ts'
import { UsageError } from '../usage-error.ts'

const INPUT_DEFAULT = 'node_modules'

export const demo: Command = {
  name: 'demo',
  parameters: [],
  summary: 'put a tree of files through a shard and compare every byte with the disk',
  details: [
    'Ingests every file below the input directory (f/<path>: content, m/<path>: size, mode and time), reads',
    'everything back, scans, takes a snapshot, deletes a third, flushes, compacts, closes, and compares again in',
    'another process. Exits with 1 if one byte differs, and names the key and the offset.',
    'Files that change meanwhile, by size or modification time, are compared by checksum and reported.',
  ],
  options: [
    { name: 'input', value: 'DIR', help: `the tree; default: ${INPUT_DEFAULT}` },
    { name: 'data', value: 'DIR', help: 'where to put the shard, and leave it; default: a temporary directory' },
    { name: 'keep', help: 'leave the temporary directory in place' },
    { name: 'check-only', help: 'only compare and verify what an earlier run left in --data' },
    { name: 'verbose', help: 'show every difference and everything that could not be read' },
  ],
  run: (given, context) => (given.has('check-only') ? checkOnly(given, context) : wholeJob(given, context)),
}

async function wholeJob(given: CommandArguments, context: CommandContext): Promise<ExitCode> {
  const { output } = context
  const asked = given.value('data')
  const data = await dataDirectory(asked)
  let keep = asked !== undefined || given.has('keep')
  try {
    const report = await runMainJob(given.value('input') ?? INPUT_DEFAULT, data, context)
    const code = printMainJob(report, output, given.has('verbose'))
    // Where something differs or fails, the shard is the evidence.
    if (code !== EXIT_CODES.ok) keep = true
    return code
  } catch (error) {
    if (!(error instanceof UsageError || context.signal.aborted)) keep = true
    throw error
  } finally {
    if (keep) output.note(`The shard is in ${data}; \`varve tree\`, \`stats\` and \`verify\` show what is in it.`)
    else await rm(data, { recursive: true, force: true })
  }
}

async function checkOnly(given: CommandArguments, context: CommandContext): Promise<ExitCode> {
  const data = given.value('data')
  if (data === undefined) throw new UsageError('--check-only needs --data DIR, left by an earlier run')
  const { findings } = await checkShard(data, given.value('input'), context)
  return printVerdict(findings, context.output, given.has('verbose'))
}

/** Absolute and without symbolic links, so that it can be recognised inside the input. */
async function dataDirectory(asked: string | undefined): Promise<string> {
  if (asked === undefined) return realpath(await mkdtemp(join(tmpdir(), 'varve-demo-')))
  await mkdir(asked, { recursive: true }).catch((error: unknown) => {
    throw deviceError(error, 'make directory', asked)
  })
  return realpath(asked)
}
