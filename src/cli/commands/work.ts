/** `varve work`: runs jobs of shards elsewhere. */

import { once } from 'node:events'
import { standBack } from '../../jobs/thread-nice.ts'
import { isCode } from '../../kernel/errors.ts'
import { MIB } from '../../kernel/limits.ts'
import { parseAddress } from '../../rpc/address.ts'
import { RpcClient } from '../../rpc/client.ts'
import { dialSocket } from '../../rpc/socket-transport.ts'
import { SystemClock } from '../../system-clock.ts'
import { SystemRandom } from '../../system-random.ts'
import type { Command } from '../command.ts'
import { EXIT_CODES } from '../exit-code.ts'
import { describeError } from '../failure.ts'
import { credentialFiles } from '../serve/credential-files.ts'
import { remoteWorkers } from '../../remote-workers.ts'
import { openHash } from '../../local-worker.ts'
import { startJobThreads } from '../serve/job-threads.ts'
import { Opened } from '../serve/served-directory.ts'
import { UsageError } from '../usage-error.ts'

// Alone on its machine it makes no difference; beside a writer and a file server, these go first, ten times as often.
const NICE = 10
const NICE_MAX = 19

export const work: Command = {
  name: 'work',
  parameters: [],
  summary: 'run jobs of shards elsewhere',
  details: [
    'Pulls jobs from a server with --jobs, reads their inputs and writes their outputs at a server with --files. Ends when it',
    'is interrupted or terminated; what it was working on is given to another worker. Token and certificates are read again',
    'for each connection it makes.',
  ],
  options: [
    { name: 'jobs-at', value: 'ADDRESS', help: 'where jobs come from' },
    { name: 'files-at', value: 'ADDRESS', help: 'where files are; default: the same' },
    { name: 'places', value: 'N', help: 'jobs at a time, each on a thread of its own; default 2' },
    { name: 'memory', value: 'MIB', help: 'what one job may need; default 1024' },
    {
      name: 'nice',
      value: 'N',
      help: `how far it stands back on a machine that has other work, 0 to ${NICE_MAX}; default ${NICE}`,
    },
    { name: 'labels', value: 'LABELS', help: 'what this machine has, with commas, such as gpu' },
    { name: 'token', value: 'FILE', help: 'the token that is shown to both' },
    { name: 'certificate', value: 'FILE', help: 'the certificate that is shown, in PEM' },
    { name: 'key', value: 'FILE', help: 'its private key, in PEM' },
    { name: 'authorities', value: 'FILE', help: 'who signs certificates of servers, in PEM' },
  ],
  async run(given, { output, signal }) {
    const { value } = given
    const jobsAt = value('jobs-at')
    if (jobsAt === undefined) throw new UsageError('`varve work` needs --jobs-at ADDRESS', 'work')
    const filesAt = value('files-at') ?? jobsAt
    for (const address of [jobsAt, filesAt]) checkAddress(address)
    const places = countOf('places', value('places') ?? '2', 64)
    const memoryBytes = countOf('memory', value('memory') ?? '1024', 1_048_576) * MIB
    const nice = countOf('nice', value('nice') ?? `${NICE}`, NICE_MAX, 0)
    const labels = (value('labels') ?? '').split(',').filter((label) => label !== '')
    const credentials = credentialFiles(value, 'work', ['token', 'certificate', 'key', 'authorities'], (problem) =>
      output.note(`varve: ${problem}; what was read before is shown once more`),
    )
    const [clock, random, hash] = [new SystemClock(), new SystemRandom(), await openHash()]
    const opened = new Opened()
    // Before there are threads, which begin as this one is.
    standBack(nice)
    try {
      const client = new RpcClient({
        dial: dialSocket(jobsAt, credentials.dial),
        token: credentials.token,
        clock,
        hash,
        random,
      })
      opened.add(() => client.close())
      const composition = remoteWorkers({ address: filesAt, credentials: credentials.paths })
      const settings = { places, memoryBytes, labels }
      const worker = startJobThreads({ client, clock, composition, settings, opened })
      output.line(`working for ${jobsAt}: ${places} jobs at a time`)
      client.connection().catch((error: unknown) => {
        if (isCode(error, 'IO_FAILED') && !signal.aborted)
          output.note(`varve: nobody answers yet, trying again until somebody does: ${describeError(error)}`)
      })
      // Not wanted there: then there is nothing to wait for.
      await Promise.race([worker.ended, signal.aborted ? undefined : once(signal, 'abort')])
    } finally {
      await opened.close()
    }
    return EXIT_CODES.ok
  },
}

function checkAddress(address: string): void {
  try {
    parseAddress(address)
  } catch (error) {
    throw new UsageError((error as Error).message, 'work')
  }
}

function countOf(option: string, given: string, most: number, least = 1): number {
  const count = /^[0-9]{1,7}$/.test(given) ? Number(given) : NaN
  if (!(count >= least && count <= most))
    throw new UsageError(`--${option} is a number from ${least} to ${most}, not '${given}'`, 'work')
  return count
}
