/**
 * A disk in memory that can fail like one: power cuts that lose, tear and reorder what was not synced, names and data
 * apart; errors at any operation; a record of everything it was asked to do.
 *
 * What a file system may do after a power cut is what ALICE (OSDI 2014) and CrashMonkey (OSDI 2018) found that it does:
 * only a sync orders anything.
 */

import type {
  Device,
  DeviceDirectory,
  DeviceFile,
  DeviceSpace,
  DeviceStat,
  DeviceSupport,
  DirectoryEntry,
  OpenMode,
} from '../kernel/device.ts'
import { VarveError } from '../kernel/errors.ts'
import { checkDevicePath } from '../fs/device-path.ts'
import { GIB } from '../kernel/limits.ts'
import { SeededRandom } from './seeded-random.ts'
import { failure, unsupported } from './simulated-failure.ts'
import type { DiskImage } from './disk-image.ts'
import type { Fate, PendingChange } from './simulated-change.ts'
import type { DeviceOperation, OperationName } from './device-operation.ts'
import { SimulatedFile } from './simulated-file.ts'
import type { FailedSyncs, SimulatedInode } from './simulated-inode.ts'
import type { TransferFault } from './simulated-transfer.ts'
import { SimulatedTree } from './simulated-tree.ts'
import type { CrashPolicy } from './simulated-tree.ts'

export type { CrashPolicy } from './simulated-tree.ts'

/** What the disk can do, and what goes wrong with it. */
export interface SimulatedDeviceOptions {
  /** Default true. */
  readonly syncRead?: boolean
  /** Default true. */
  readonly syncWrite?: boolean
  /** Whether a range is in memory, each time it is asked for. Default: the device cannot tell. */
  readonly atHand?: (path: string, position: number, bytes: number) => boolean
  /** Sees every operation before it happens; may throw to make it fail. */
  readonly before?: (operation: DeviceOperation) => void
  /** What asynchronous operations wait for. Default: a microtask. */
  readonly delay?: () => Promise<void>
  /** In bytes: writes beyond it fail with NO_SPACE. Default: none do, and `space` speaks of 1 GiB. */
  readonly capacityBytes?: number
  /** What a write that fails leaves in its range: nothing, or sectors of it by chance. Default `nothing`. */
  readonly failedWrites?: 'nothing' | 'some'
  /** What a sync that fails does to the pages it should have stored. Default `dropped`. */
  readonly failedSyncs?: FailedSyncs
  /** Asked at every read and write: what goes wrong with it behind the caller's back. Default: nothing. */
  readonly transferFault?: (operation: DeviceOperation) => TransferFault | undefined
  /** What a sync, of a file or a directory, waits for once it has taken effect. Default: nothing. */
  readonly afterSync?: () => Promise<void>
  /** Keep a record in `operations`. Default true. */
  readonly record?: boolean
  /** Refuse every change with READ_ONLY. Default false. */
  readonly readOnly?: boolean
}

/** What changes a disk without an open file. */
const CHANGES: ReadonlySet<OperationName> = new Set(['link', 'rename', 'unlink', 'syncDirectory', 'makeDirectory'])

/**
 * A disk that only exists in memory. Processes that are killed or lose their power are other objects over the same
 * disk.
 */
export class SimulatedDevice implements Device {
  /** By its options. */
  readonly supports: DeviceSupport
  /** As given. */
  readonly failedWrites: 'nothing' | 'some'
  /** As given. */
  readonly failedSyncs: FailedSyncs
  readonly #options: SimulatedDeviceOptions
  #tree = new SimulatedTree()
  #dead = false
  /** Everything asked for, in order. Clear it at will. */
  readonly operations: DeviceOperation[] = []

  /** Nothing is on it. `of` makes one that holds something. */
  constructor(options: SimulatedDeviceOptions = {}) {
    this.#options = options
    this.failedWrites = options.failedWrites ?? 'nothing'
    this.failedSyncs = options.failedSyncs ?? 'dropped'
    this.supports = Object.freeze({
      syncRead: options.syncRead !== false,
      syncWrite: options.syncWrite !== false,
      readNow: options.atHand !== undefined,
    })
  }

  /** Where `supports.readNow`. */
  atHand(path: string, position: number, bytes: number): boolean {
    return this.#options.atHand?.(path, position, bytes) === true
  }

  /** The disk after a power cut, for the next process. This one is dead: nothing it is asked for settles or happens. */
  crash(policy: CrashPolicy, seed: number, options: SimulatedDeviceOptions = this.#options): SimulatedDevice {
    this.#dead = true
    return SimulatedDevice.#over(this.#tree.afterCrash(policy, new SeededRandom(seed)), options)
  }

  /** A disk that holds `image`. */
  static of(image: DiskImage, options: SimulatedDeviceOptions = {}): SimulatedDevice {
    return SimulatedDevice.#over(SimulatedTree.of(image), options)
  }

  static #over(tree: SimulatedTree, options: SimulatedDeviceOptions): SimulatedDevice {
    const device = new SimulatedDevice(options)
    device.#tree = tree
    return device
  }

  /** The same disk as another process has it, both alive. A crash must be asked of one of them, and ends only that one. */
  shared(options: SimulatedDeviceOptions = this.#options): SimulatedDevice {
    return SimulatedDevice.#over(this.#tree, options)
  }

  /** What a power cut now may lose: changes of names and of content, each of which may be kept or lost on its own. */
  pendingChanges(): readonly PendingChange[] {
    return this.#tree.pendingChanges()
  }

  /** The disk as a power cut now would leave it. This one goes on. @param fates one for each of `pendingChanges()` */
  image(fates: readonly Fate[]): DiskImage {
    return this.#tree.image(fates)
  }

  /** The disk after the process was killed: everything it had written is there, and as unsynced as before. */
  kill(options: SimulatedDeviceOptions = this.#options): SimulatedDevice {
    this.#dead = true
    return SimulatedDevice.#over(this.#tree, options)
  }

  /** The file at `path`, to look at or to damage. */
  inode(path: string): SimulatedInode {
    return this.#tree.mustFind(path, 'stat')
  }

  /** Paths of all files, sorted. */
  files(): readonly string[] {
    return this.#tree.files()
  }

  /** True when a power cut now would lose nothing. */
  get clean(): boolean {
    return this.#tree.clean
  }

  /** Bytes of all files. */
  get usedBytes(): number {
    return this.#tree.usedBytes
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
    this.#tree.makeDirectory(path)
    await this.afterSync()
  }

  async list(path: string): Promise<readonly DirectoryEntry[]> {
    await this.delay()
    this.note('list', path)
    return this.#tree.list(path)
  }

  /** As `Device.stat`. */
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
    this.#tree.link(existing, created)
  }

  async rename(source: string, target: string): Promise<void> {
    await this.delay()
    this.note('rename', target)
    this.#tree.rename(source, target)
  }

  async unlink(path: string): Promise<void> {
    await this.delay()
    this.note('unlink', path)
    this.#tree.unlink(path)
  }

  /** A failed one changes nothing: a file system that cannot write its log stops, or the next one succeeds. */
  async syncDirectory(path: string): Promise<void> {
    const directory = this.#tree.directory(path, 'syncDirectory')
    const covered = directory.changes
    await this.delay()
    this.note('syncDirectory', path)
    directory.sync(covered)
    await this.afterSync()
  }

  async openDirectory(path: string): Promise<DeviceDirectory> {
    await this.delay()
    this.note('open', path)
    if (this.#options.readOnly === true) throw failure('READ_ONLY', 'open', path)
    this.#tree.directory(path, 'open')
    return { sync: () => this.syncDirectory(path), close: () => Promise.resolve() }
  }

  async space(path: string): Promise<DeviceSpace> {
    await this.delay()
    this.note('space', path)
    const totalBytes = this.#options.capacityBytes ?? 1 * GIB
    return { freeBytes: Math.max(0, totalBytes - this.usedBytes), totalBytes }
  }

  /** Records one operation; throws what the injected fault throws, or NO_SPACE where a write does not fit. */
  note(
    operation: OperationName,
    path: string,
    position = 0,
    bytes = 0,
    grownBytes = 0,
    parts?: readonly Uint8Array[],
  ): void {
    const noted = { operation, path, position, bytes }
    if (this.#options.record !== false) this.operations.push(noted)
    this.#options.before?.(parts === undefined ? noted : { ...noted, parts })
    const { capacityBytes, readOnly } = this.#options
    if (readOnly === true && CHANGES.has(operation)) throw failure('READ_ONLY', operation, path)
    if (capacityBytes !== undefined && grownBytes > 0 && this.usedBytes + grownBytes > capacityBytes) {
      throw failure('NO_SPACE', operation, path)
    }
  }

  /** What goes wrong with a transfer that is about to happen. */
  transferFault(operation: 'read' | 'write', path: string, position: number, bytes: number): TransferFault | undefined {
    return this.#options.transferFault?.({ operation, path, position, bytes })
  }

  /** Whatever else a sync has to wait for. */
  async afterSync(): Promise<void> {
    await this.#options.afterSync?.()
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

  #open(path: string, mode: OpenMode): DeviceFile {
    this.checkAlive()
    this.note('open', path)
    if (mode !== 'read' && this.#options.readOnly === true) throw failure('READ_ONLY', 'open', path)
    const inode = mode === 'create' ? this.#tree.create(path, 'open') : this.#tree.mustFind(path, 'open')
    return new SimulatedFile(this, path, inode, mode !== 'read')
  }

  #stat(path: string): DeviceStat | undefined {
    this.checkAlive()
    this.note('stat', path)
    const inode = this.#tree.find(path)
    return inode === undefined ? undefined : { bytes: inode.length, identity: inode.identity }
  }
}
