/** varve as it is built, part by part. */

import type * as Varve from 'varve'
import type * as Fs from 'varve/fs/remote'
import type * as Jobs from 'varve/jobs'
import type * as JobsRemote from 'varve/jobs/remote'
import type * as Journal from 'varve/journal/remote'
import type * as Kernel from 'varve/kernel'
import type * as KvJobs from 'varve/kv/jobs'
import type * as RemoteWorkers from 'varve/remote-workers'
import type * as Rpc from 'varve/rpc'

/** This module runs from `bench/build/remote/`. */
export const DIST = new URL('../../../dist/', import.meta.url)

export interface VarveModules {
  readonly varve: typeof Varve
  readonly fs: typeof Fs
  readonly jobs: typeof Jobs
  readonly jobsRemote: typeof JobsRemote
  readonly journal: typeof Journal
  readonly kernel: typeof Kernel
  readonly kvJobs: typeof KvJobs
  readonly remoteWorkers: typeof RemoteWorkers
  readonly rpc: typeof Rpc
}

export async function loadVarve(): Promise<VarveModules> {
  return {
    varve: await load<typeof Varve>('index.js'),
    fs: await load<typeof Fs>('fs/remote/index.js'),
    jobs: await load<typeof Jobs>('jobs/index.js'),
    jobsRemote: await load<typeof JobsRemote>('jobs/remote/index.js'),
    journal: await load<typeof Journal>('journal/remote/index.js'),
    kernel: await load<typeof Kernel>('kernel/index.js'),
    kvJobs: await load<typeof KvJobs>('engines/kv/jobs.js'),
    remoteWorkers: await load<typeof RemoteWorkers>('remote-workers.js'),
    rpc: await load<typeof Rpc>('rpc/index.js'),
  }
}

async function load<Module>(path: string): Promise<Module> {
  return (await import(new URL(path, DIST).href)) as Module
}
