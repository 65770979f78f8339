/** `varve serve`: journals, files, heads and jobs for shards elsewhere, in any combination. */

import { once } from 'node:events'
import { FileService } from '../../fs/remote/file-service.ts'
import { HeadService } from '../../fs/remote/head-service.ts'
import { JobBroker } from '../../jobs/remote/job-broker.ts'
import { JobService, WorkerService } from '../../jobs/remote/job-service.ts'
import { JournalService } from '../../journal/remote/journal-service.ts'
import { RpcClient } from '../../rpc/client.ts'
import { dialLoopback } from '../../rpc/loopback.ts'
import type { RpcService } from '../../rpc/rpc.ts'
import { RpcServer } from '../../rpc/server.ts'
import { listenSocket } from '../../rpc/socket-transport.ts'
import { directoryThreads, openHash } from '../../local-worker.ts'
import { KV_HANDLER_URLS } from '../../remote-workers.ts'
import { SystemClock } from '../../system-clock.ts'
import { SystemRandom } from '../../system-random.ts'
import type { Command, CommandContext } from '../command.ts'
import { EXIT_CODES } from '../exit-code.ts'
import { startJobThreads } from '../serve/job-threads.ts'
import { RenewedSecrets } from '../serve/renewed-secrets.ts'
import { serveOptions } from '../serve/serve-options.ts'
import type { ServeOptions } from '../serve/serve-options.ts'
import { Opened, ServedDirectories } from '../serve/served-directory.ts'
import { SECRET_OPTIONS, servedSecrets } from '../serve/served-secrets.ts'
import { removeStaleSocket } from '../serve/stale-socket.ts'

export const serve: Command = {
  name: 'serve',
  parameters: [],
  summary: 'offer journals, files, heads and jobs to shards elsewhere',
  details: [
    'ADDRESS is unix:PATH, tcp://HOST:PORT or tls://HOST:PORT, or several of them with commas. Without --tokens, only Unix',
    'sockets and addresses of this machine are listened on. Ends when it is interrupted or terminated, after answering what',
    'it works on. Told by SIGHUP, it reads the files of tokens and certificates again.',
    'FILE of --tokens is a JSON list of { "name", "token", "expires", "certificate", "roles", "shards" }; docs/remote.md has more.',
  ],
  options: [
    { name: 'listen', value: 'ADDRESS', help: 'where to listen' },
    { name: 'journal', value: 'DIR', help: 'serve journals kept in DIR: one log for all shards' },
    { name: 'per-shard', help: 'keep one log for each shard, as embedded databases do' },
    { name: 'files', value: 'DIR', help: 'serve files and heads kept in DIR' },
    { name: 'jobs', value: 'N', help: 'take jobs, and run N of them at a time here; 0: leave them to `varve work`' },
    { name: 'tokens', value: 'FILE', help: 'who may do what' },
    { name: 'certificate', value: 'FILE', help: 'for tls: addresses, in PEM' },
    { name: 'key', value: 'FILE', help: 'its private key, in PEM' },
    { name: 'authorities', value: 'FILE', help: 'who signs certificates of clients, in PEM' },
  ],
  async run(given, context) {
    const options = await serveOptions(given)
    const opened = new Opened()
    try {
      const started = start(options, opened, context)
      const renew = (renewed: RenewedSecrets): void =>
        renewed.renew(() => servedSecrets(given.value, options.addresses))
      if (SECRET_OPTIONS.some((name) => given.value(name) !== undefined))
        context.onHangUp(() => void started.then(renew, () => undefined))
      await started
      if (!context.signal.aborted) await once(context.signal, 'abort')
      context.output.note('varve: answering what is being worked on, then stopping')
    } finally {
      await opened.close()
    }
    return EXIT_CODES.ok
  },
}

async function start(options: ServeOptions, opened: Opened, { output }: CommandContext): Promise<RenewedSecrets> {
  const [clock, random, hash] = [new SystemClock(), new SystemRandom(), await openHash()]
  const directories = new ServedDirectories({ hash, random, clock, opened })
  const services: RpcService[] = []
  if (options.files !== undefined) {
    const { files, heads } = await directories.files(options.files)
    const [fileService, headService] = [new FileService({ files, hash, clock }), new HeadService({ heads, clock })]
    opened.add(async () => Promise.all([fileService.close(), headService.close()]))
    services.push(fileService, headService)
  }
  if (options.journal !== undefined) {
    const open = options.perShard ? directories.journals(options.journal) : directories.sharedJournal(options.journal)
    const service = new JournalService({ journals: await open, clock })
    opened.add(() => service.close())
    services.push(service)
  }
  const broker = options.jobs === undefined ? undefined : new JobBroker({ clock, random })
  if (broker !== undefined) services.push(new JobService({ broker }), new WorkerService({ broker }))
  const server = new RpcServer({ services, clock, hash, access: options.secrets.access })
  opened.add(() => server.close())
  if (broker !== undefined) {
    // Before the server: what waits for work, or for an answer, has to be told.
    opened.add(() => Promise.resolve(broker.close()))
    if (options.jobs !== undefined && options.jobs > 0 && options.files !== undefined) {
      // Behind a door of its own, that nobody else can come through.
      const inside = new RpcServer({ services: [new WorkerService({ broker })], clock, hash })
      opened.add(() => inside.close())
      const client = new RpcClient({ dial: dialLoopback(inside), clock, hash, random })
      opened.add(() => client.close())
      const composition = directoryThreads(options.files, KV_HANDLER_URLS)
      startJobThreads({ client, clock, composition, settings: { places: options.jobs }, opened })
    }
  }
  const renewed = new RenewedSecrets(server, output)
  for (const address of options.addresses) {
    await removeStaleSocket(address)
    const listening = await listenSocket(address, server, options.secrets.listening)
    opened.add(() => listening.close())
    renewed.listeners.push(listening)
    const names = services.map(({ name }) => name).join(', ')
    output.line(`listening on ${listening.address}: ${names}`)
  }
  return renewed
}
