/**
 * A PostgreSQL server for tests: a cluster of its own in a temporary folder, on a free port of this machine only, with
 * everything that makes a commit durable left on.
 *
 * Debian's package is installed where it is missing and this is root (the server itself then runs as `postgres`, which the
 * package makes: it refuses to be root). Where it cannot be had there is a reason, and tests skip with it.
 */

import { execFileSync, spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import {
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { createConnection } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process, { getuid } from 'node:process'
import { setTimeout as delay } from 'node:timers/promises'
import { whyNotInstalled } from './debian-packages.ts'
import { freePorts, startOnFreePorts } from './free-ports.ts'
import { signalTo, stopFamily, untilGone } from './process-family.ts'

const DEBIAN = '/usr/lib/postgresql'
const START_TIMEOUT_MS = 180_000

/** Where the programs are, or why there are none. */
type Programs = { readonly folder: string } | { readonly missing: string }

export class PostgresServer {
  readonly port: number
  readonly #folder: string
  readonly #programs: string
  readonly #options: readonly string[]
  #process: ChildProcess | undefined

  private constructor(port: number, folder: string, programs: string, options: readonly string[]) {
    this.port = port
    this.#folder = folder
    this.#programs = programs
    this.#options = options
  }

  /** @returns the reason, where there is no server to be had */
  static async start(options: readonly string[] = []): Promise<PostgresServer | string> {
    const programs = findPrograms() ?? install()
    if ('missing' in programs) return programs.missing
    return startOnFreePorts(async () => {
      const server = await PostgresServer.#make(programs.folder, options)
      try {
        await server.restart()
        return server
      } catch (error) {
        await server.stop()
        throw error
      }
    })
  }

  static async #make(programs: string, options: readonly string[]): Promise<PostgresServer> {
    const root = mkdtempSync(join(tmpdir(), 'varve-postgres-'))
    const account = serverAccount()
    if (account !== undefined) chownSync(root, account.uid, account.gid)
    const folder = join(root, 'data')
    const cluster = ['-D', folder, '-U', 'postgres', '-A', 'trust', '-E', 'UTF8', '--locale=C', '--no-sync']
    execFileSync(join(programs, 'initdb'), cluster, { ...account, cwd: root, stdio: 'ignore' })
    const [port] = await freePorts(1)
    return new PostgresServer(port as number, folder, programs, options)
  }

  get url(): string {
    return `postgres://postgres@127.0.0.1:${this.port}/postgres`
  }

  /** Makes a folder the server's own, for a tablespace. */
  own(folder: string): void {
    const account = serverAccount()
    if (account !== undefined) chownSync(folder, account.uid, account.gid)
  }

  /** Starts it, where it is not running, and resolves when it takes connections. */
  async restart(): Promise<void> {
    if (this.#process !== undefined) return
    const settings = [`listen_addresses=127.0.0.1`, `port=${this.port}`, 'unix_socket_directories=', ...this.#options]
    const child = spawn(
      join(this.#programs, 'postgres'),
      ['-D', this.#folder, ...settings.flatMap((setting) => ['-c', setting])],
      { ...serverAccount(), cwd: this.#folder, stdio: 'ignore', detached: true },
    )
    this.#process = child
    // A test that fails half-way leaves no server behind.
    const end = (): void => void child.kill('SIGQUIT')
    process.once('exit', end)
    child.once('exit', () => process.removeListener('exit', end))
    const limit = Date.now() + START_TIMEOUT_MS
    while (!(await this.#takesConnections())) {
      if (child.exitCode !== null || Date.now() > limit) throw new Error('the PostgreSQL server does not start')
      await delay(20)
    }
  }

  /** Ends every process of it at once, as a crash does: what was not on disk is gone from its own memory. */
  async crash(): Promise<void> {
    await this.#end('SIGKILL')
  }

  /** All its processes stand still while `work` is done: also those that it is just making. */
  async asleep(work: () => Promise<void>): Promise<void> {
    const pid = this.#process?.pid
    if (pid === undefined) throw new Error('it does not run')
    const others = await stopFamily(pid)
    try {
      await work()
    } finally {
      for (const each of [...others, pid]) signalTo(each, 'SIGCONT')
    }
  }

  /** Ends it and removes its folder. */
  async stop(): Promise<void> {
    await this.#end('SIGQUIT')
    rmSync(join(this.#folder, '..'), { recursive: true, force: true })
  }

  async #end(signal: 'SIGKILL' | 'SIGQUIT'): Promise<void> {
    const child = this.#process
    this.#process = undefined
    if (child?.pid === undefined || child.exitCode !== null) return
    const ended = new Promise((resolve) => child.once('exit', resolve))
    // Its own processes have the server as their parent; each has a group of its own. One that is left keeps its memory, and
    // no other server starts in the same folder.
    const others = signal === 'SIGKILL' ? await stopFamily(child.pid) : []
    for (const pid of [child.pid, ...others]) signalTo(pid, signal)
    await ended
    await untilGone(others)
  }

  /** Ready is what it writes behind its process id. */
  async #takesConnections(): Promise<boolean> {
    const file = join(this.#folder, 'postmaster.pid')
    if (!existsSync(file) || !/^ready\s*$/m.test(readFileSync(file, 'utf8'))) return false
    return new Promise((resolve) => {
      const socket = createConnection({ host: '127.0.0.1', port: this.port })
      socket.once('connect', () => resolve(true)).once('error', () => resolve(false))
      socket.once('connect', () => socket.destroy())
    })
  }
}

/** The newest version that is installed. */
function findPrograms(): Programs | undefined {
  const versions = existsSync(DEBIAN) ? readdirSync(DEBIAN).map(Number) : []
  for (const version of versions.toSorted((a, b) => b - a)) {
    const folder = join(DEBIAN, String(version), 'bin')
    if (existsSync(join(folder, 'postgres')) && existsSync(join(folder, 'initdb'))) return { folder }
  }
  return undefined
}

function install(): Programs {
  if (getuid?.() === 0) forbidDebianCluster()
  const reason = whyNotInstalled('PostgreSQL', () => findPrograms() !== undefined, ['postgresql'])
  return findPrograms() ?? { missing: reason ?? 'PostgreSQL is not where Debian puts it' }
}

/** No cluster of Debian's own, and no server on its port. */
function forbidDebianCluster(): void {
  mkdirSync('/etc/postgresql-common', { recursive: true })
  const clusters = '/etc/postgresql-common/createcluster.conf'
  if (!existsSync(clusters)) writeFileSync(clusters, 'create_main_cluster = false\n')
}

/** The server refuses to be root. */
function serverAccount(): { readonly uid: number; readonly gid: number } | undefined {
  if (getuid?.() !== 0) return undefined
  const id = (flag: string): number => Number(execFileSync('id', [flag, 'postgres'], { encoding: 'utf8' }))
  return { uid: id('-u'), gid: id('-g') }
}
