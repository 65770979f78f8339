/**
 * A disk in memory that can fail like one: power cuts that lose, tear and reorder what was not synced, names and data
 * apart; errors at any operation; a record of everything it was asked to do.
 *
 * What a file system may do after a power cut is what ALICE (OSDI 2014) and CrashMonkey (OSDI 2018) found that it does:
 * only a sync orders anything.
 */

import type {
  Device,
  DeviceFile,
  DeviceSpace,
  DeviceStat,
  DeviceSupport,
  DirectoryEntry,
  OpenMode,
} from '../kernel/device.ts'
import { VarveError } from '../kernel/errors.ts'
import { checkDevicePath, parentOf } from '../fs/device-path.ts'
import { GIB } from '../kernel/limits.ts'
import { SeededRandom } from './seeded-random.ts'
import { SimulatedDirectory } from './simulated-directory.ts'
import { SimulatedFile } from './simulated-file.ts'
import { SimulatedInode } from './simulated-inode.ts'
import { failure, unsupported } from './simulated-failure.ts'
import type { KeptChanges } from './simulated-inode.ts'

export type OperationName =
  | 'open'
  | 'read'
  | 'write'
  | 'sync'
  | 'truncate'
  | 'list'
  | 'stat'
  | 'link'
  | 'rename'
  | 'unlink'
  | 'syncDirectory'
  | 'makeDirectory'
  | 'space'

export interface DeviceOperation {
  readonly operation: OperationName
  readonly path: string
  readonly position: number
  readonly bytes: number
}

/** What survives a power cut of what was not synced: of the data of files, and of the names in directories. */
export interface CrashPolicy {
  readonly data: KeptChanges
  readonly names: KeptChanges
}

export interface SimulatedDeviceOptions {
  /** Default true. */
  readonly syncRead?: boolean
  /** Default true. */
  readonly syncWrite?: boolean
  /** Sees every operation before it happens; may throw to make it fail. */
  readonly before?: (operation: DeviceOperation) => void
  /** What asynchronous operations wait for. Default: a microtask. */
  readonly delay?: () => Promise<void>
  /** Writes beyond it fail with NO_SPACE. Default: none do, and `space` speaks of 1 GiB. */
  readonly capacityBytes?: number
  /** What a write that fails leaves in its range: nothing, or sectors of it by chance. Default `nothing`. */
  readonly failedWrites?: 'nothing' | 'some'
  /** Refuse every change with READ_ONLY. Default false. */
  readonly readOnly?: boolean
}

/** What changes a disk without an open file. */
const CHANGES: ReadonlySet<OperationName> = new Set(['link', 'rename', 'unlink', 'syncDirectory', 'makeDirectory'])

export class SimulatedDevice implements Device {
  readonly supports: DeviceSupport
  readonly failedWrites: 'nothing' | 'some'
  readonly #options: SimulatedDeviceOptions
  readonly #directories = new Map<string, SimulatedDirectory>([['.', new SimulatedDirectory()]])
  #identityNext = 1
  #dead = false
  /** Everything asked for, in order. Clear it at will. */
  readonly operations: DeviceOperation[] = []

  constructor(options: SimulatedDeviceOptions = {}) {
    this.#options = options
    this.failedWrites = options.failedWrites ?? 'nothing'
    this.supports = Object.freeze({ syncRead: options.syncRead !== false, syncWrite: options.syncWrite !== false })
  }

  /** The disk after a power cut, for the next process. This one is dead: nothing it is asked for settles or happens. */
  crash(policy: CrashPolicy, seed: number, options: SimulatedDeviceOptions = this.#options): SimulatedDevice {
    const random = new SeededRandom(seed)
    const after = this.#successor(options)
    const contents = new Map<SimulatedInode, SimulatedInode>()
    for (const [path, directory] of this.#directories) {
      const entries = new Map<string, SimulatedInode>()
      for (const [name, inode] of directory.afterCrash(policy.names, random)) {
        const found =
          contents.get(inode) ?? new SimulatedInode(after.#identityNext++, inode.afterCrash(policy.data, random))
        contents.set(inode, found)
        entries.set(name, found)
      }
      after.#directories.set(path, new SimulatedDirectory(entries))
    }
    return after
  }

  /** The disk after the process was killed: everything it had written is there, and as unsynced as before. */
  kill(options: SimulatedDeviceOptions = this.#options): SimulatedDevice {
    const after = this.#successor(options)
    for (const [path, directory] of this.#directories) after.#directories.set(path, directory)
    after.#identityNext = this.#identityNext
    return after
  }

  /** The file at `path`, to look at or to damage. */
  inode(path: string): SimulatedInode {
    return this.#mustFind(path, 'stat')
  }

  /** Paths of all files, sorted. */
  files(): readonly string[] {
    return [...this.#directories]
      .flatMap(([path, directory]) =>
        [...directory.entries.keys()].map((name) => (path === '.' ? name : `${path}/${name}`)),
      )
      .sort()
  }

  /** True when a power cut now would lose nothing. */
  get clean(): boolean {
    for (const directory of this.#directories.values()) {
      if (directory.dirty) return false
      for (const inode of directory.entries.values()) if (inode.dirty) return false
    }
    return true
  }

  /** Bytes of all files. */
  get usedBytes(): number {
    const inodes = new Set([...this.#directories.values()].flatMap((directory) => [...directory.entries.values()]))
    let bytes = 0
    for (const inode of inodes) bytes += inode.length
    return bytes
  }

  async open(path: string, mode: OpenMode): Promise<DeviceFile> {
    await this.delay()
    return this.#open(path, mode)
  }

  openSync(path: string, mode: OpenMode): DeviceFile {
    if (!this.supports.syncRead) throw unsupported('openSync')
    return this.#open(path, mode)
  }

  async makeDirectory(path: string): Promise<void> {
    await this.delay()
    this.note('makeDirectory', checkDevicePath(path))
    const elements = path === '.' ? [] : path.split('/')
    for (let count = 1; count <= elements.length; count++) {
      const directory = elements.slice(0, count).join('/')
      if (this.#find(directory) !== undefined) throw failure('EXISTS', 'makeDirectory', path)
      if (!this.#directories.has(directory)) this.#directories.set(directory, new SimulatedDirectory())
    }
  }

  async list(path: string): Promise<readonly DirectoryEntry[]> {
    await this.delay()
    this.note('list', path)
    const found: DirectoryEntry[] = [...this.#directory(path, 'list').entries.keys()].map((name) => ({
      name,
      directory: false,
    }))
    for (const other of this.#directories.keys()) {
      const { directory, name } = split(other)
      if (other !== '.' && directory === path) found.push({ name, directory: true })
    }
    return found
  }

  async stat(path: string): Promise<DeviceStat | undefined> {
    await this.delay()
    return this.#stat(path)
  }

  statSync(path: string): DeviceStat | undefined {
    if (!this.supports.syncWrite) throw unsupported('statSync')
    return this.#stat(path)
  }

  async link(existing: string, created: string): Promise<void> {
    await this.delay()
    this.note('link', created)
    const inode = this.#mustFind(existing, 'link')
    const { directory, name } = this.#place(created, 'link')
    this.#mustBeFree(created, 'link')
    directory.change([name, inode])
  }

  async rename(source: string, target: string): Promise<void> {
    await this.delay()
    this.note('rename', target)
    const inode = this.#mustFind(source, 'rename')
    const from = this.#place(source, 'rename')
    const to = this.#place(target, 'rename')
    // Two names of one file: POSIX leaves both.
    if (to.directory.entries.get(to.name) === inode) return
    if (from.directory === to.directory) {
      from.directory.change([to.name, inode], [from.name, undefined])
    } else {
      to.directory.change([to.name, inode])
      from.directory.change([from.name, undefined])
    }
  }

  async unlink(path: string): Promise<void> {
    await this.delay()
    this.note('unlink', path)
    this.#mustFind(path, 'unlink')
    const { directory, name } = this.#place(path, 'unlink')
    directory.change([name, undefined])
  }

  /** A failed one changes nothing: a file system that cannot write its log stops, or the next one succeeds. */
  async syncDirectory(path: string): Promise<void> {
    const covered = this.#directories.get(path)?.changes ?? 0
    await this.delay()
    this.note('syncDirectory', path)
    this.#directory(path, 'syncDirectory').sync(covered)
  }

  async space(path: string): Promise<DeviceSpace> {
    await this.delay()
    this.note('space', path)
    const totalBytes = this.#options.capacityBytes ?? 1 * GIB
    return { freeBytes: Math.max(0, totalBytes - this.usedBytes), totalBytes }
  }

  /** Records one operation; throws what the injected fault throws, or NO_SPACE where a write does not fit. */
  note(operation: OperationName, path: string, position = 0, bytes = 0, grownBytes = 0): void {
    const noted = { operation, path, position, bytes }
    this.operations.push(noted)
    this.#options.before?.(noted)
    const { capacityBytes, readOnly } = this.#options
    if (readOnly === true && CHANGES.has(operation)) throw failure('READ_ONLY', operation, path)
    if (capacityBytes !== undefined && grownBytes > 0 && this.usedBytes + grownBytes > capacityBytes) {
      throw failure('NO_SPACE', operation, path)
    }
  }

  /** Waits as long as an operation takes; for ever where the process is dead. */
  async delay(): Promise<void> {
    await this.#options.delay?.()
    if (this.#dead) await new Promise<never>(() => undefined)
  }

  /** Throws where the process is dead: a synchronous call cannot wait for ever. */
  checkAlive(): void {
    if (this.#dead) throw new VarveError('IO_FAILED', 'the simulated process is dead')
  }

  #successor(options: SimulatedDeviceOptions): SimulatedDevice {
    this.#dead = true
    return new SimulatedDevice(options)
  }

  #open(path: string, mode: OpenMode): DeviceFile {
    this.checkAlive()
    this.note('open', path)
    if (mode !== 'read' && this.#options.readOnly === true) throw failure('READ_ONLY', 'open', path)
    if (mode !== 'create') return new SimulatedFile(this, path, this.#mustFind(path, 'open'), mode === 'write')
    const { directory, name } = this.#place(path, 'open')
    this.#mustBeFree(path, 'open')
    const inode = new SimulatedInode(this.#identityNext++)
    directory.change([name, inode])
    return new SimulatedFile(this, path, inode, true)
  }

  #stat(path: string): DeviceStat | undefined {
    this.checkAlive()
    this.note('stat', path)
    const inode = this.#find(path)
    return inode === undefined ? undefined : { bytes: inode.length, identity: inode.identity }
  }

  #find(path: string): SimulatedInode | undefined {
    const { directory, name } = split(path)
    return this.#directories.get(directory)?.entries.get(name)
  }

  #mustBeFree(path: string, operation: OperationName): void {
    if (this.#find(path) !== undefined || this.#directories.has(path)) throw failure('EXISTS', operation, path)
  }

  #mustFind(path: string, operation: OperationName): SimulatedInode {
    const { directory, name } = this.#place(path, operation)
    const inode = directory.entries.get(name)
    if (inode === undefined) throw failure('NOT_FOUND', operation, path)
    return inode
  }

  #place(path: string, operation: OperationName): { readonly directory: SimulatedDirectory; readonly name: string } {
    const { directory, name } = split(path)
    return { directory: this.#directory(directory, operation), name }
  }

  #directory(path: string, operation: OperationName): SimulatedDirectory {
    const directory = this.#directories.get(checkDevicePath(path))
    if (directory === undefined) throw failure('NOT_FOUND', operation, path)
    return directory
  }
}

function split(path: string): { readonly directory: string; readonly name: string } {
  checkDevicePath(path)
  return { directory: parentOf(path), name: path.slice(path.lastIndexOf('/') + 1) }
}
