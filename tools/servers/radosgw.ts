/**
 * Ceph's S3 gateway on this machine, for tests: one monitor, one store that keeps everything in memory, one gateway.
 *
 * It listens on the loopback only, on ports that are free, and keeps its files in a directory of its own. Each of its
 * processes leaves its id in a file there, and is ended by the process that started it, at the latest when that exits.
 * The packages are installed with apt-get where that may be done; where not, there is a reason to skip with.
 */

import { spawn, spawnSync } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { closeSync, existsSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process, { kill } from 'node:process'
import { whyNotInstalled } from './debian-packages.ts'
import { freePorts, startOnFreePorts } from './free-ports.ts'

const PACKAGES = ['radosgw', 'ceph-mon', 'ceph-osd']
const PROGRAMS = ['radosgw', 'radosgw-admin', 'ceph', 'ceph-mon', 'ceph-osd', 'monmaptool']
const START_MS = 180_000
const ANSWER_MS = 5_000
const STOP_MS = 10_000

export const RADOSGW_CREDENTIALS = Object.freeze({
  accessKeyId: 'testaccess',
  secretAccessKey: 'testsecretkey0123456789',
})

/** Why there is no radosgw; undefined: there is one. */
export function whyNoRadosgw(): string | undefined {
  return whyNotInstalled('radosgw', isInstalled, PACKAGES)
}

function isInstalled(): boolean {
  return PROGRAMS.every((program) => spawnSync('sh', ['-c', `command -v ${program}`], { stdio: 'ignore' }).status === 0)
}

export class Radosgw {
  /** For instance `http://127.0.0.1:7480`. */
  readonly endpoint: string
  readonly #root: string
  readonly #processes: ChildProcess[] = []
  readonly #onExit = (): void => this.#kill('SIGKILL')

  private constructor(root: string, port: number) {
    this.#root = root
    this.endpoint = `http://127.0.0.1:${port}`
  }

  /** Takes about a second on a quiet machine. */
  static async start(): Promise<Radosgw> {
    return startOnFreePorts(() => Radosgw.#startOnce())
  }

  static async #startOnce(): Promise<Radosgw> {
    const root = mkdtempSync(join(tmpdir(), 'varve-radosgw-'))
    const [gateway, monitor, monitorOld] = (await freePorts(3)) as [number, number, number]
    const started = new Radosgw(root, gateway)
    process.on('exit', started.#onExit)
    try {
      await started.#start(gateway, `[v2:127.0.0.1:${monitor},v1:127.0.0.1:${monitorOld}]`)
      return started
    } catch (error) {
      const logs = ['setup', 'mon', 'osd', 'rgw'].map((name) => tailOf(join(root, `${name}.log`)))
      await started.stop()
      throw new Error(`radosgw did not start: ${String(error)}\n${logs.join('\n')}`, { cause: error })
    }
  }

  /** Ends the gateway at once; what was stored is still there. */
  async killGateway(): Promise<void> {
    const gateway = this.#processes.pop()
    if (gateway?.exitCode !== null || gateway.pid === undefined) return
    const ended = new Promise((resolve) => gateway.once('exit', resolve))
    kill(gateway.pid, 'SIGKILL')
    await ended
  }

  /** Starts it again where it was. */
  async startGateway(): Promise<void> {
    this.#spawn('rgw', 'radosgw', ['-n', 'client.rgw'])
    await this.#until('the gateway', () => this.#answers())
  }

  /** The gateway stands still while `work` is done. */
  async asleep(work: () => Promise<void>): Promise<void> {
    const gateway = this.#processes.at(-1)
    gateway?.kill('SIGSTOP')
    try {
      await work()
    } finally {
      gateway?.kill('SIGCONT')
    }
  }

  /** Ends its processes and removes its files. */
  async stop(): Promise<void> {
    const ended = this.#processes.map((child) =>
      child.exitCode !== null || child.signalCode !== null
        ? Promise.resolve()
        : new Promise<void>((resolve) => child.once('exit', () => resolve())),
    )
    this.#kill('SIGTERM')
    // In memory nothing is lost that would be kept.
    const impatient = setTimeout(() => this.#kill('SIGKILL'), STOP_MS)
    await Promise.all(ended)
    clearTimeout(impatient)
    process.removeListener('exit', this.#onExit)
    rmSync(this.#root, { recursive: true, force: true })
  }

  async #start(port: number, monitor: string): Promise<void> {
    const fsid = readFileSync('/proc/sys/kernel/random/uuid', 'utf8').trim()
    for (const name of ['run', 'crash', 'mon', 'osd', 'rgw']) mkdirSync(join(this.#root, name))
    writeFileSync(join(this.#root, 'ceph.conf'), configuration(this.#root, fsid, monitor, port))
    writeFileSync(join(this.#root, 'empty.keyring'), '')

    const map = join(this.#root, 'monmap')
    this.#run('monmaptool', ['--create', '--fsid', fsid, '--addv', 'a', monitor, map])
    this.#run('ceph-mon', ['--mkfs', '-i', 'a', '--monmap', map])
    this.#spawn('mon', 'ceph-mon', ['-i', 'a'])
    await this.#until('the monitor', () => this.#ask(['mon', 'stat']) !== undefined)

    const uuid = readFileSync('/proc/sys/kernel/random/uuid', 'utf8').trim()
    this.#run('ceph', ['osd', 'new', uuid, '0'])
    this.#run('ceph-osd', ['-i', '0', '--mkfs', '--osd-uuid', uuid])
    this.#spawn('osd', 'ceph-osd', ['-i', '0'])
    await this.#until('the store', () => this.#ask(['osd', 'stat'])?.includes('1 up') === true)

    const { accessKeyId, secretAccessKey } = RADOSGW_CREDENTIALS
    const keys = [`--access-key=${accessKeyId}`, `--secret-key=${secretAccessKey}`]
    this.#run('radosgw-admin', ['-n', 'client.rgw', 'user', 'create', '--uid=test', '--display-name=test', ...keys])
    this.#spawn('rgw', 'radosgw', ['-n', 'client.rgw'])
    await this.#until('the gateway', () => this.#answers())
  }

  async #answers(): Promise<boolean> {
    const signal = AbortSignal.timeout(ANSWER_MS)
    return (await fetch(this.endpoint, { signal }).catch(() => undefined)) !== undefined
  }

  /** To its end. */
  #run(program: string, args: readonly string[]): void {
    const log = openSync(join(this.#root, 'setup.log'), 'a')
    const configured = program === 'monmaptool' ? args : [...this.#configured(), ...args]
    const { status } = spawnSync(program, configured, { stdio: ['ignore', log, log], timeout: START_MS })
    closeSync(log)
    if (status !== 0) throw new Error(`${program} ended with ${status}`)
  }

  #ask(args: readonly string[]): string | undefined {
    const asked = spawnSync('ceph', [...this.#configured(), '--connect-timeout', '20', ...args], {
      encoding: 'utf8',
      timeout: 60_000,
    })
    return asked.status === 0 ? asked.stdout + asked.stderr : undefined
  }

  #spawn(name: string, program: string, args: readonly string[]): void {
    const log = openSync(join(this.#root, `${name}.log`), 'a')
    const child = spawn(program, [...this.#configured(), '-f', ...args], { stdio: ['ignore', log, log] })
    closeSync(log)
    child.on('error', () => undefined)
    this.#processes.push(child)
    writeFileSync(join(this.#root, 'run', `${name}.pid`), `${child.pid ?? ''}\n`)
  }

  #configured(): readonly string[] {
    return ['--conf', join(this.#root, 'ceph.conf')]
  }

  async #until(what: string, isSo: () => boolean | Promise<boolean>): Promise<void> {
    const deadline = Date.now() + START_MS
    while (!(await isSo())) {
      if (Date.now() > deadline) throw new Error(`${what} does not answer`)
      if (this.#processes.some(({ exitCode }) => exitCode !== null))
        throw new Error(`a process ended before ${what} came`)
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
  }

  #kill(signal: 'SIGTERM' | 'SIGKILL'): void {
    for (const { pid, exitCode, signalCode } of this.#processes)
      if (pid !== undefined && exitCode === null && signalCode === null) kill(pid, signal)
  }
}

/** No authentication between its own processes; one copy of everything; proposals at once, or starting takes 12 s. */
function configuration(root: string, fsid: string, monitor: string, port: number): string {
  return `[global]
fsid = ${fsid}
mon host = ${monitor}
public addr = 127.0.0.1
cluster addr = 127.0.0.1
ms bind ipv6 = false
auth cluster required = none
auth service required = none
auth client required = none
auth supported = none
keyring = ${root}/empty.keyring
run dir = ${root}/run
admin socket = ${root}/run/$name.asok
log file = ${root}/$name.log
mon cluster log file = ${root}/cluster.log
crash dir = ${root}/crash
debug none = 0/0
osd pool default size = 1
osd pool default min size = 1
osd pool default pg num = 4
osd pool default pgp num = 4
osd pool default pg autoscale mode = off
osd crush chooseleaf type = 0
mon allow pool size one = true
mon max pg per osd = 1000
mon warn on pool no redundancy = false
[mon]
mon data = ${root}/mon
mon data avail crit = 1
mon data avail warn = 1
paxos propose interval = 0.02
paxos min wait = 0.01
auth allow insecure global id reclaim = false
[osd]
osd data = ${root}/osd
osd objectstore = memstore
osd journal =
memstore device bytes = 4G
osd max scrubs = 0
osd class load list = *
osd class default list = *
[client.rgw]
rgw data = ${root}/rgw
# Without tcp_nodelay a small GET takes 44 ms.
rgw frontends = beast endpoint=127.0.0.1:${port} tcp_nodelay=1
# Without this it asks for authentication that nobody has, and waits.
ms mon client mode = crc
rgw thread pool size = 64
rgw gc obj min wait = 30
rgw gc processor period = 30
rgw gc processor max time = 30
rgw enable usage log = false
rgw enable ops log = false
rgw dynamic resharding = false
rgw override bucket index max shards = 1
`
}

function tailOf(path: string): string {
  return existsSync(path) ? `${path}:\n${readFileSync(path, 'utf8').slice(-2000)}` : ''
}
