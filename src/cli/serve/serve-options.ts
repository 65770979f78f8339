/** What `varve serve` was asked for, checked before anything is opened. */

import { parseAddress } from '../../rpc/address.ts'
import type { CommandArguments } from '../command-arguments.ts'
import { UsageError } from '../usage-error.ts'
import { servedSecrets } from './served-secrets.ts'
import type { ServedSecrets } from './served-secrets.ts'

export interface ServeOptions {
  readonly addresses: readonly string[]
  /** Directory of journals. */
  readonly journal: string | undefined
  /** One log per shard, as an embedded database has it, instead of one for all. */
  readonly perShard: boolean
  /** Directory of files and heads. */
  readonly files: string | undefined
  /** Jobs at a time, in this process; undefined: none are taken. */
  readonly jobs: number | undefined
  /** As they were when it started. */
  readonly secrets: ServedSecrets
}

/** @throws {UsageError} */
export async function serveOptions({ value, has }: CommandArguments): Promise<ServeOptions> {
  const addresses = (value('listen') ?? '').split(',').filter((address) => address !== '')
  if (addresses.length === 0) throw new UsageError('`varve serve` needs --listen ADDRESS', 'serve')
  for (const address of addresses) checkAddress(address)
  const [journal, files] = [value('journal'), value('files')]
  const jobs = countOf(value('jobs'))
  if (journal === undefined && files === undefined && jobs === undefined)
    throw new UsageError('`varve serve` needs something to serve: --journal DIR, --files DIR or --jobs N', 'serve')
  if (jobs !== undefined && jobs > 0 && files === undefined)
    throw new UsageError(
      '--jobs N works on files: give --files DIR as well, or --jobs 0 and workers elsewhere',
      'serve',
    )
  const perShard = has('per-shard')
  if (perShard && journal === undefined) throw new UsageError('--per-shard is about --journal DIR', 'serve')
  if (journal !== undefined && journal === files && !perShard)
    throw new UsageError('--journal and --files are one directory only with --per-shard', 'serve')
  return { addresses, journal, perShard, files, jobs, secrets: await servedSecrets(value, addresses) }
}

function checkAddress(address: string): void {
  try {
    parseAddress(address)
  } catch (error) {
    throw new UsageError((error as Error).message, 'serve')
  }
}

function countOf(given: string | undefined): number | undefined {
  if (given === undefined) return undefined
  if (!/^[0-9]{1,3}$/.test(given)) throw new UsageError(`--jobs is a number from 0 to 999, not '${given}'`, 'serve')
  return Number(given)
}
