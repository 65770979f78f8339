/** Certificates from the files that options name, as both ends of a connection take them. */

import { readFile } from 'node:fs/promises'
import { checkPem } from '../../rpc/pem.ts'
import type { DialOptions } from '../../rpc/socket-transport.ts'
import type { CommandArguments } from '../command-arguments.ts'
import { UsageError } from '../usage-error.ts'

/** `--certificate`, `--key` and `--authorities` of `command`. @throws {UsageError} half of a pair, a file that cannot be read, or what is no certificate */
export async function certificateFiles(value: CommandArguments['value'], command: string): Promise<DialOptions> {
  const [certificate, key, authorities] = [value('certificate'), value('key'), value('authorities')]
  if ((certificate === undefined) !== (key === undefined))
    throw new UsageError('--certificate FILE and --key FILE go together', command)
  const options = {
    ...(certificate === undefined || key === undefined
      ? {}
      : { identity: { certificate: await textOf(certificate, command), key: await textOf(key, command) } }),
    ...(authorities === undefined ? {} : { authorities: await textOf(authorities, command) }),
  }
  try {
    checkPem(options, { certificate: certificate ?? '', key: key ?? '', authorities: authorities ?? '' })
  } catch (error) {
    throw new UsageError((error as Error).message, command)
  }
  return options
}

/** The text of a file that an option of `command` names. @throws {UsageError} */
export async function textOf(path: string, command: string): Promise<string> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    throw new UsageError(`${path} cannot be read: ${(error as Error).message}`, command)
  }
}
