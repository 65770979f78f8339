/** The token and the certificates that `varve work` shows, from the files that its options name. */

import { CredentialFiles } from '../../rpc/credential-files.ts'
import type { CommandArguments } from '../command-arguments.ts'
import type { Output } from '../output.ts'
import { UsageError } from '../usage-error.ts'

/** @throws {UsageError} half of a pair, a file that cannot be read, or what is no certificate */
export function credentialFiles(value: CommandArguments['value'], output: Output): CredentialFiles {
  const paths: Record<string, string> = {}
  for (const name of ['token', 'certificate', 'key', 'authorities']) {
    const path = value(name)
    if (path !== undefined) paths[name] = path
  }
  if ((paths['certificate'] === undefined) !== (paths['key'] === undefined))
    throw new UsageError('--certificate FILE and --key FILE go together', 'work')
  try {
    return new CredentialFiles(paths, (problem) =>
      output.note(`varve: ${problem}; what was read before is shown once more`),
    )
  } catch (error) {
    throw new UsageError((error as Error).message, 'work')
  }
}
