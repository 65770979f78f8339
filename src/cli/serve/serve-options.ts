/** What `varve serve` was asked for, checked before anything is opened. */

import { parseAddress } from '../../rpc/address.ts'
import { Access, ROLES } from '../../rpc/access.ts'
import type { AccessRule } from '../../rpc/access.ts'
import type { Role } from '../../rpc/rpc.ts'
import type { ListenOptions } from '../../rpc/socket-transport.ts'
import type { CommandArguments } from '../command-arguments.ts'
import { UsageError } from '../usage-error.ts'
import { certificateFiles, textOf } from './certificate-files.ts'

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
  readonly access: Access
  readonly listening: ListenOptions
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
  const tokens = value('tokens')
  const rules = tokens === undefined ? [] : await rulesOf(tokens)
  const access = accessOf(rules, tokens)
  const listening = await certificateFiles(value, 'serve')
  if (addresses.some((address) => address.startsWith('tls:'))) {
    if (listening.identity === undefined)
      throw new UsageError('a tls: address needs --certificate FILE and --key FILE', 'serve')
    // Clients are not asked for theirs, and would be told to show one.
    const certified = rules.find(({ certificate }) => certificate !== undefined)
    if (certified !== undefined && listening.authorities === undefined)
      throw new UsageError(
        `${tokens}: ${certified.name} comes with a certificate: give --authorities FILE, who has signed it`,
        'serve',
      )
  }
  return { addresses, journal, perShard, files, jobs, access, listening }
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

async function rulesOf(path: string): Promise<readonly AccessRule[]> {
  const text = await textOf(path, 'serve')
  let rules: unknown
  try {
    rules = JSON.parse(text)
  } catch {
    // Not what it says: there are tokens in it.
    throw new UsageError(`${path} is no JSON`, 'serve')
  }
  if (!Array.isArray(rules) || rules.length === 0 || !rules.every(isRule))
    throw new UsageError(`${path} must be a list of { name, token, expires, certificate, roles, shards }`, 'serve')
  return rules
}

function accessOf(rules: readonly AccessRule[], path = 'rules'): Access {
  try {
    return new Access(rules)
  } catch (error) {
    throw new UsageError(`${path}: ${(error as Error).message}`, 'serve')
  }
}

const RULE_FIELDS: ReadonlySet<string> = new Set(['name', 'token', 'expires', 'certificate', 'roles', 'shards'])

function isRule(value: unknown): value is AccessRule {
  if (typeof value !== 'object' || value === null) return false
  if (Object.keys(value).some((field) => !RULE_FIELDS.has(field))) return false
  const { name, token, expires, certificate, roles, shards } = value as Partial<Record<keyof AccessRule, unknown>>
  const isText = (each: unknown): boolean => each === undefined || typeof each === 'string'
  const isList = (each: unknown): boolean => each === undefined || (Array.isArray(each) && each.every(isText))
  if (typeof name !== 'string' || !isText(token) || !isText(expires) || !isText(certificate)) return false
  if (Array.isArray(roles) && !roles.every((role: Role) => ROLES.includes(role))) return false
  return isList(roles) && isList(shards)
}
