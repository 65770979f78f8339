/** A composition whose files, heads and jobs are behind remote calls, in this process; its journal stays where it is. */

import * as kvJobs from '../src/engines/kv/jobs.ts'
import type { KvComponents } from '../src/engines/kv/open-kv.ts'
import { FileService } from '../src/fs/remote/file-service.ts'
import { HeadService } from '../src/fs/remote/head-service.ts'
import { RemoteFileStore } from '../src/fs/remote/remote-file-store.ts'
import { RemoteHeadStore } from '../src/fs/remote/remote-head-store.ts'
import { HandlerTable } from '../src/jobs/handler-table.ts'
import { InlineScheduler } from '../src/jobs/inline-scheduler.ts'
import { JobBroker } from '../src/jobs/remote/job-broker.ts'
import { JobService, WorkerService } from '../src/jobs/remote/job-service.ts'
import { JobWorker } from '../src/jobs/remote/job-worker.ts'
import { RemoteScheduler } from '../src/jobs/remote/remote-scheduler.ts'
import { RpcClient } from '../src/rpc/client.ts'
import { dialLoopback } from '../src/rpc/loopback.ts'
import { RpcServer } from '../src/rpc/server.ts'

/** @param parts `parts.jobs` is what is replaced: it sees the files without a detour */
export function withPartsElsewhere(parts: KvComponents): KvComponents {
  const { hash, clock, random } = parts
  const fileService = new FileService({ files: parts.files, hash, clock })
  const fileServer = new RpcServer({
    services: [fileService, new HeadService({ heads: parts.heads, clock })],
    clock,
    hash,
  })
  const broker = new JobBroker({ clock, random })
  const jobServer = new RpcServer({
    services: [new JobService({ broker }), new WorkerService({ broker })],
    clock,
    hash,
  })
  const client = (server: RpcServer): RpcClient => new RpcClient({ dial: dialLoopback(server), clock, hash, random })
  const clients = {
    files: client(fileServer),
    jobs: client(jobServer),
    worker: client(jobServer),
    workersFiles: client(fileServer),
  }

  const files = new RemoteFileStore({ client: clients.files })
  const heads = new RemoteHeadStore({ client: clients.files })
  const handlers = new HandlerTable({ 'varve/kv/jobs': kvJobs })
  // Flushes stay with the memory they read; both write through the service.
  const localJobs = new InlineScheduler({ files, hash, clock, handlers })
  const workersFiles = new RemoteFileStore({ client: clients.workersFiles })
  const workersJobs = new InlineScheduler({ files: workersFiles, hash, clock, handlers })
  const worker = new JobWorker({ client: clients.worker, jobs: workersJobs, clock })
  const jobs = new RemoteScheduler({ client: clients.jobs, shard: parts.shard, clock, random, local: localJobs })
  return {
    ...parts,
    files,
    heads,
    jobs,
    localJobs,
    close: async () => {
      await jobs.close()
      await localJobs.close()
      await worker.close()
      await workersJobs.close()
      await workersFiles.close()
      await files.close()
      for (const each of Object.values(clients)) await each.close()
      broker.close()
      await jobServer.close()
      await fileServer.close()
      await fileService.close()
      await parts.close?.()
    },
  }
}
