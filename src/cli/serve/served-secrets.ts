/** Who may do what at `varve serve`, and what it shows: from files that are read when it starts, and again when it is told to. */

import { Access, ROLES } from '../../rpc/access.ts'
import type { AccessRule } from '../../rpc/access.ts'
import type { Role } from '../../rpc/rpc.ts'
import type { ListenOptions } from '../../rpc/socket-transport.ts'
import type { CommandArguments } from '../command-arguments.ts'
import { textOf } from '../option-file.ts'
import { UsageError } from '../usage-error.ts'
import { credentialFiles } from './credential-files.ts'

export interface ServedSecrets {
  readonly access: Access
  readonly listening: ListenOptions
}

/** Options that name such files. */
export const SECRET_OPTIONS = ['tokens', 'certificate', 'key', 'authorities'] as const

/** @throws {UsageError} a file that cannot be read, or is none of what it should be, or one that is missing */
export async function servedSecrets(
  value: CommandArguments['value'],
  addresses: readonly string[],
): Promise<ServedSecrets> {
  const tokens = value('tokens')
  const rules = tokens === undefined ? [] : await rulesOf(tokens)
  const access = accessOf(rules, tokens)
  const listening = credentialFiles(value, 'serve', ['certificate', 'key', 'authorities']).dial()
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
  return { access, listening }
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
