/** The token and the certificates that a command shows, from the files that its options name. */

import { CredentialFiles } from '../../rpc/credential-files.ts'
import type { CredentialPaths } from '../../rpc/credential-files.ts'
import type { CommandArguments } from '../command-arguments.ts'
import { UsageError } from '../usage-error.ts'

/**
 * @param names those options of `command` that name such a file
 * @param noted hears, once each, why what was read last is shown again
 * @throws {UsageError} half of a pair, a file that cannot be read, or what is no certificate
 */
export function credentialFiles(
  value: CommandArguments['value'],
  command: string,
  names: readonly (keyof CredentialPaths)[],
  noted?: (problem: string) => void,
): CredentialFiles {
  const paths: Record<string, string> = {}
  for (const name of names) {
    const path = value(name)
    if (path !== undefined) paths[name] = path
  }
  if ((paths['certificate'] === undefined) !== (paths['key'] === undefined))
    throw new UsageError('--certificate FILE and --key FILE go together', command)
  try {
    return new CredentialFiles(paths, noted)
  } catch (error) {
    throw new UsageError((error as Error).message, command)
  }
}
