/**
 * NATS servers with JetStream on this machine, for tests: a single one, or a cluster of three.
 *
 * Each keeps its data in a directory of its own and is ended by the process it was started as. `nats-server` is installed
 * with apt-get where that may be done; where not, there is a reason to skip with.
 */

import { spawn, spawnSync } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import processOfTest, { kill } from 'node:process'
import { whyNotInstalled } from './debian-packages.ts'
import { freePorts, startOnFreePorts } from './free-ports.ts'

const START_MS = 240_000
const ANSWER_MS = 5_000
// One was not well after a minute, once in some twenty starts, and nobody knows why: it is started anew.
const STUCK_MS = 60_000
const LOG_LINES_TOLD = 20

interface Node {
  readonly name: string
  readonly client: number
  readonly cluster: number
  readonly monitor: number
  process: ChildProcess | undefined
}

/** Why there is no `nats-server`; undefined: there is one. */
export function whyNoNats(): string | undefined {
  return whyNotInstalled('nats-server', found, ['nats-server'])
}

function found(): boolean {
  return spawnSync('nats-server', ['--version'], { stdio: 'ignore' }).status === 0
}

export class NatsServers {
  readonly #root: string
  readonly #nodes: readonly Node[]

  private constructor(root: string, nodes: readonly Node[]) {
    this.#root = root
    this.#nodes = nodes
  }

  /** @param maxPayload what the servers take as one message, in bytes */
  static async start(count: 1 | 3, maxPayload = 1024 * 1024): Promise<NatsServers> {
    return startOnFreePorts(async () => {
      const servers = await NatsServers.#make(count, maxPayload)
      for (let index = 0; index < count; index++) servers.run(index)
      try {
        await servers.ready()
        return servers
      } catch (error) {
        await servers.stop()
        throw error
      }
    })
  }

  static async #make(count: 1 | 3, maxPayload: number): Promise<NatsServers> {
    const root = mkdtempSync(join(tmpdir(), 'varve-nats-'))
    const ports = await freePorts(3 * count)
    const nodes = Array.from({ length: count }, (_, index) => ({
      name: `n${index}`,
      client: ports[3 * index] as number,
      cluster: ports[3 * index + 1] as number,
      monitor: ports[3 * index + 2] as number,
      process: undefined,
    }))
    const routes = nodes.map(({ cluster }) => `"nats-route://127.0.0.1:${cluster}"`).join(', ')
    for (const { name, client, cluster, monitor } of nodes) {
      mkdirSync(join(root, name))
      const lines = [
        `server_name: ${name}`,
        `listen: "127.0.0.1:${client}"`,
        `http: "127.0.0.1:${monitor}"`,
        `max_payload: ${maxPayload}`,
        `jetstream { store_dir: "${join(root, name)}", max_memory_store: 256MB, max_file_store: 8GB }`,
      ]
      if (count > 1)
        lines.push(`cluster { name: test, listen: "127.0.0.1:${cluster}", no_advertise: true, routes: [ ${routes} ] }`)
      writeFileSync(join(root, `${name}.conf`), `${lines.join('\n')}\n`)
    }
    return new NatsServers(root, nodes)
  }

  /** Of clients. */
  get addresses(): readonly string[] {
    return this.#nodes.map(({ client }) => `127.0.0.1:${client}`)
  }

  /** Starts a node that does not run. */
  run(index: number): void {
    const node = this.#nodes[index] as Node
    if (node.process !== undefined) return
    const log = openSync(this.#logPath(node.name), 'a')
    node.process = spawn('nats-server', ['-c', join(this.#root, `${node.name}.conf`)], { stdio: ['ignore', log, log] })
    const { process: started } = node
    // A test that fails half-way leaves no server behind.
    const end = (): void => void started.kill('SIGKILL')
    processOfTest.once('exit', end)
    started.once('exit', () => processOfTest.removeListener('exit', end))
  }

  /** With SIGKILL; resolves when it has ended. */
  async kill(index: number): Promise<void> {
    const node = this.#nodes[index] as Node
    const { process } = node
    node.process = undefined
    if (process?.pid === undefined || process.exitCode !== null) return
    const ended = new Promise((resolve) => process.once('exit', resolve))
    kill(process.pid, 'SIGKILL')
    await ended
  }

  /** Nodes that run stand still while `work` is done. @param which default: all */
  async asleep(work: () => Promise<void>, which?: readonly number[]): Promise<void> {
    const nodes = this.#nodes.filter((_, index) => which?.includes(index) ?? true)
    const running = nodes.map(({ process }) => process).filter((process) => process !== undefined)
    for (const process of running) process.kill('SIGSTOP')
    try {
      await work()
    } finally {
      for (const process of running) process.kill('SIGCONT')
    }
  }

  /** Resolves when every node that runs says that it is well, and a cluster has a leader. */
  async ready(): Promise<void> {
    const deadline = Date.now() + START_MS
    for (let stuckAt = Date.now() + STUCK_MS; ;) {
      const running = this.#nodes.filter(({ process }) => process !== undefined)
      const well = await Promise.all(running.map(({ monitor }) => isWell(monitor, this.#nodes.length > 1)))
      if (well.every(Boolean)) return
      const ended = running.find(({ process }) => process?.exitCode !== null)
      if (ended !== undefined) throw new Error(`server ${ended.name} has ended by itself: ${this.#endOfLog(ended)}`)
      if (Date.now() > deadline) {
        const logs = running.filter((_, index) => well[index] !== true).map((node) => this.#endOfLog(node))
        throw new Error(`not all servers are ready: ${logs.join('\n')}`)
      }
      if (Date.now() > stuckAt) {
        for (const [index, node] of running.entries()) if (well[index] !== true) await this.#restart(node)
        stuckAt = Date.now() + STUCK_MS
      }
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
  }

  /** Its last lines: where a start fails, the log itself goes with everything that it has made. */
  #endOfLog({ name }: Node): string {
    const lines = readFileSync(this.#logPath(name), 'utf8').trimEnd().split('\n')
    return [`log of ${name}:`, ...lines.slice(-LOG_LINES_TOLD)].join('\n')
  }

  #logPath(name: string): string {
    return join(this.#root, `${name}.log`)
  }

  async #restart(node: Node): Promise<void> {
    const index = this.#nodes.indexOf(node)
    await this.kill(index)
    this.run(index)
  }

  /** The node whose server leads a stream of the account; undefined: none does. */
  async leader(stream: string): Promise<number | undefined> {
    for (const { monitor, process } of this.#nodes) {
      if (process === undefined) continue
      const answer = await fetch(`http://127.0.0.1:${monitor}/jsz?streams=true`, answered()).catch(() => undefined)
      const body = (await answer?.json()) as { account_details?: { stream_detail?: StreamDetail[] }[] } | undefined
      for (const { stream_detail: streams = [] } of body?.account_details ?? []) {
        const leader = streams.find(({ name }) => name === stream)?.cluster?.leader
        const index = this.#nodes.findIndex(({ name }) => name === leader)
        if (index >= 0) return index
      }
    }
    return undefined
  }

  async stop(): Promise<void> {
    for (let index = 0; index < this.#nodes.length; index++) await this.kill(index)
    if (existsSync(this.#root)) rmSync(this.#root, { recursive: true })
  }
}

interface StreamDetail {
  readonly name: string
  readonly cluster?: { readonly leader?: string }
}

async function isWell(monitor: number, cluster: boolean): Promise<boolean> {
  try {
    const health = await fetch(`http://127.0.0.1:${monitor}/healthz`, answered())
    if (!health.ok) return false
    if (!cluster) return true
    const state = (await (await fetch(`http://127.0.0.1:${monitor}/jsz`, answered())).json()) as {
      meta_cluster?: { leader?: string }
    }
    return (state.meta_cluster?.leader ?? '') !== ''
  } catch {
    return false
  }
}

/** Whoever listens there may be somebody else, and say nothing. */
function answered(): { readonly signal: AbortSignal } {
  return { signal: AbortSignal.timeout(ANSWER_MS) }
}
