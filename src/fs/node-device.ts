/**
 * The device over Node's file system, rooted at a directory.
 *
 * What is no file in place of one is refused, symbolic links too. Directories may be links: an operator puts the journal on
 * another disk that way.
 */

import fs from 'node:fs'
import path from 'node:path'
import { VarveError, isCode } from '../kernel/errors.ts'
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
import { deviceError } from './device-error.ts'
import { checkDevicePath } from './device-path.ts'
import type { FileCalls } from './file-calls.ts'
import { attempt } from './node-call.ts'
import { NodeDirectory } from './node-directory.ts'
import { NodeFileCalls } from './node-file-calls.ts'
import { NodeFile } from './node-file.ts'
import { inTheWay, refuseOther } from './node-other-thing.ts'

/** What may be done, and by which calls. */
export interface NodeDeviceOptions {
  /** Refuse every change with READ_ONLY. Default false. */
  readonly readOnly?: boolean
  /** How open files are read and synced. Default: through Node's thread pool. */
  readonly calls?: FileCalls
}

const FLAGS: Readonly<Record<OpenMode, number>> = {
  read: fs.constants.O_RDONLY | fs.constants.O_NOFOLLOW,
  write: fs.constants.O_RDWR | fs.constants.O_NOFOLLOW,
  create: fs.constants.O_RDWR | fs.constants.O_CREAT | fs.constants.O_EXCL | fs.constants.O_NOFOLLOW,
}

/** Files below a directory of this machine. Holds no descriptor of its own. */
export class NodeDevice implements Device {
  readonly supports: DeviceSupport
  /** Absolute path of the directory. */
  readonly root: string
  readonly #readOnly: boolean
  readonly #calls: FileCalls

  /** @param root directory that all paths are relative to; made by `makeDirectory('.')` where it is missing */
  constructor(root: string, options: NodeDeviceOptions = {}) {
    this.root = path.resolve(root)
    this.#readOnly = options.readOnly === true
    this.#calls = options.calls ?? new NodeFileCalls()
    this.supports = Object.freeze({ syncRead: true, syncWrite: true, readNow: this.#calls.readsNow })
  }

  async open(file: string, mode: OpenMode): Promise<DeviceFile> {
    const full = this.#full(file, 'open', mode !== 'read')
    if (mode !== 'create') refuseOther(await attempt<fs.Stats>('open', file, (done) => fs.lstat(full, done)), file)
    const fd = await attempt<number>('open', file, (done) => fs.open(full, FLAGS[mode], 0o644, done))
    return new NodeFile(fd, file, mode !== 'read', this.#calls)
  }

  openSync(file: string, mode: OpenMode): DeviceFile {
    const full = this.#full(file, 'open', mode !== 'read')
    try {
      if (mode !== 'create') refuseOther(fs.lstatSync(full), file)
      return new NodeFile(fs.openSync(full, FLAGS[mode], 0o644), file, mode !== 'read', this.#calls)
    } catch (error) {
      throw deviceError(error, 'open', file)
    }
  }

  async makeDirectory(directory: string): Promise<void> {
    const full = this.#full(directory, 'make directory', true)
    const shown = this.#shown(directory)
    const first = (await isDirectory(full)) ? undefined : await this.#make(full, shown)
    // An entry is durable only with the directory that holds it. Those that were there are synced too: whoever made them
    // may have been killed before the sync.
    for (let made = full; made.length > this.root.length; made = path.dirname(made))
      await syncDirectory(path.dirname(made), shown)
    if (first !== undefined && first.length <= this.root.length) {
      for (let made = this.root; made.length >= first.length; made = path.dirname(made))
        await syncDirectory(path.dirname(made), shown)
    } else if (directory === '.') {
      await syncDirectory(path.dirname(this.root), shown).catch((error: unknown) => {
        // What lies above may not be ours to open.
        if (!isCode(error, 'PERMISSION_DENIED')) throw error
      })
    }
  }

  async list(directory: string): Promise<readonly DirectoryEntry[]> {
    const full = this.#full(directory, 'list', false)
    const entries = await attempt<fs.Dirent[]>('list', this.#shown(directory), (done) =>
      fs.readdir(full, { withFileTypes: true }, done),
    )
    return entries.map((entry) => ({ name: entry.name, directory: entry.isDirectory() }))
  }

  async stat(file: string): Promise<DeviceStat | undefined> {
    const full = this.#full(file, 'stat', false)
    try {
      return toStat(await attempt<fs.Stats>('stat', file, (done) => fs.lstat(full, done)))
    } catch (error) {
      if (isCode(error, 'NOT_FOUND')) return undefined
      throw error
    }
  }

  statSync(file: string): DeviceStat | undefined {
    const full = this.#full(file, 'stat', false)
    try {
      const stat = fs.lstatSync(full, { throwIfNoEntry: false })
      return stat === undefined ? undefined : toStat(stat)
    } catch (error) {
      throw deviceError(error, 'stat', file)
    }
  }

  async link(existing: string, created: string): Promise<void> {
    const source = this.#full(existing, 'link', true)
    const target = this.#full(created, 'link', true)
    await attempt<void>('link', created, (done) => fs.link(source, target, done))
  }

  /** As `link`, of a file on another device. Beside the port. IO_FAILED where that is another file system. */
  async linkFrom(source: NodeDevice, existing: string, created: string): Promise<void> {
    const from = source.#full(existing, 'link', false)
    const to = this.#full(created, 'link', true)
    await attempt<void>('link', created, (done) => fs.link(from, to, done))
  }

  async rename(source: string, target: string): Promise<void> {
    const from = this.#full(source, 'rename', true)
    const to = this.#full(target, 'rename', true)
    await attempt<void>('rename', source, (done) => fs.rename(from, to, done))
  }

  async unlink(file: string): Promise<void> {
    const full = this.#full(file, 'unlink', true)
    await attempt<void>('unlink', file, (done) => fs.unlink(full, done))
  }

  /** Removes an empty directory. Beside the port: the core never removes one, taking a whole database away does. */
  async removeDirectory(directory: string): Promise<void> {
    const full = this.#full(directory, 'remove directory', true)
    await attempt<void>('remove directory', directory, (done) => fs.rmdir(full, done))
  }

  async syncDirectory(directory: string): Promise<void> {
    await syncDirectory(this.#full(directory, 'sync directory', true), directory)
  }

  async openDirectory(directory: string): Promise<DeviceDirectory> {
    return NodeDirectory.open(this.#full(directory, 'sync directory', true), directory)
  }

  async space(file: string): Promise<DeviceSpace> {
    const full = this.#full(file, 'space', false)
    const stat = await attempt<fs.StatsFs>('space', file, (done) => fs.statfs(full, done))
    return { freeBytes: stat.bavail * stat.bsize, totalBytes: stat.blocks * stat.bsize }
  }

  /** @returns the first directory that was missing */
  async #make(full: string, shown: string): Promise<string | undefined> {
    return attempt<string | undefined>('make directory', shown, (done) =>
      fs.mkdir(full, { recursive: true }, done),
    ).catch(async (error: unknown) => {
      const isInTheWay = isCode(error, 'EXISTS', 'NOT_FOUND', 'PERMISSION_DENIED')
      const other = isInTheWay ? await inTheWay(full, shown, 'make directory') : undefined
      if (other !== undefined) throw other
      // Node says ENOENT, too, where the file system is read-only: not of a directory that is made by itself.
      if (!isCode(error, 'NOT_FOUND')) throw error
      await attempt<void>('make directory', shown, (done) => fs.mkdir(full, done))
      return full
    })
  }

  /** How errors name a directory: nobody knows the root by `.`. */
  #shown(directory: string): string {
    return directory === '.' ? this.root : directory
  }

  #full(relative: string, operation: string, changes: boolean): string {
    if (changes && this.#readOnly) {
      throw new VarveError('READ_ONLY', `${operation} of ${relative}: the device was opened read-only`, {
        details: { path: relative, operation },
      })
    }
    return path.join(this.root, checkDevicePath(relative))
  }
}

async function isDirectory(full: string): Promise<boolean> {
  return new Promise((resolve) => fs.stat(full, (error, stat) => resolve(error === null && stat.isDirectory())))
}

/** Makes the entries of the directory at `full` durable. */
async function syncDirectory(full: string, shown: string): Promise<void> {
  const directory = NodeDirectory.open(full, shown)
  try {
    await directory.sync()
  } finally {
    await directory.close()
  }
}

function toStat(stat: fs.Stats): DeviceStat {
  return { bytes: stat.size, identity: stat.ino }
}
