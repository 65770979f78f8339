/** The directories and files of a simulated disk. Directories are durable once made; their entries are not. */

import type { DirectoryEntry } from '../kernel/device.ts'
import type { Random } from '../kernel/random.ts'
import { checkDevicePath, joinPath, parentOf } from '../fs/device-path.ts'
import { DiskImage } from './disk-image.ts'
import type { FileContent } from './disk-image.ts'
import type { Fate, PendingChange } from './simulated-change.ts'
import { SimulatedDirectory } from './simulated-directory.ts'
import { failure } from './simulated-failure.ts'
import { SimulatedInode } from './simulated-inode.ts'
import type { KeptChanges } from './simulated-inode.ts'

/** What survives a power cut of what was not synced: of the data of files, and of the names in directories. */
export interface CrashPolicy {
  /** Of what was written to files. */
  readonly data: KeptChanges
  /** Of what directories were told. */
  readonly names: KeptChanges
}

/** A name in a directory that is there, taken or not. */
interface Place {
  readonly directory: SimulatedDirectory
  readonly name: string
}

export class SimulatedTree {
  readonly #directories = new Map<string, SimulatedDirectory>([['.', new SimulatedDirectory()]])
  #identityNext = 1

  /** The tree that `image` shows, all of it on stable storage. */
  static of(image: DiskImage): SimulatedTree {
    const tree = new SimulatedTree()
    const inodes = new Map<FileContent, SimulatedInode>()
    const paths = ['.', ...image.directories]
    const entries = new Map<string, Map<string, SimulatedInode>>(paths.map((path) => [path, new Map()]))
    for (const [path, content] of image.files) {
      const inode = inodes.get(content) ?? tree.#inode(content)
      inodes.set(content, inode)
      entries.get(parentOf(path))?.set(nameOf(path), inode)
    }
    for (const [path, names] of entries) tree.#directories.set(path, new SimulatedDirectory(names))
    return tree
  }

  /** Everything that a power cut may lose. */
  pendingChanges(): readonly PendingChange[] {
    const changes: PendingChange[] = []
    for (const [path, directory] of this.#directories) {
      const change: PendingChange = { what: 'name', path, position: 0, bytes: 0, grownBytes: 0 }
      for (let left = directory.pendingCount; left > 0; left--) changes.push(change)
    }
    for (const [inode, path] of this.#reachable()) {
      for (const change of inode.pending) {
        const [position, bytes] = change.type === 'write' ? [change.position, change.bytes.length] : [change.bytes, 0]
        const grownBytes = Math.max(0, position + bytes - inode.durableLength)
        changes.push({ what: change.type, path, position, bytes, grownBytes })
      }
    }
    return changes
  }

  /** The disk after a power cut. @param fates one for each of `pendingChanges()` */
  image(fates: readonly Fate[]): DiskImage {
    let used = 0
    const take = (count: number): readonly Fate[] => fates.slice(used, (used += count))
    const names = [...this.#directories].map(
      ([path, directory]) => [path, directory.afterFates(take(directory.pendingCount))] as const,
    )
    const contents = new Map<SimulatedInode, FileContent>()
    for (const [inode] of this.#reachable()) contents.set(inode, inode.afterFates(take(inode.pending.length)))
    const files = new Map<string, FileContent>()
    for (const [path, entries] of names) {
      for (const [name, inode] of entries) files.set(joinPath(path, name), contents.get(inode) as FileContent)
    }
    return new DiskImage([...this.#directories.keys()], files)
  }

  /** The tree after a power cut. */
  afterCrash(policy: CrashPolicy, random: Random): SimulatedTree {
    const after = new SimulatedTree()
    const contents = new Map<SimulatedInode, SimulatedInode>()
    for (const [path, directory] of this.#directories) {
      const entries = new Map<string, SimulatedInode>()
      for (const [name, inode] of directory.afterCrash(policy.names, random)) {
        const found = contents.get(inode) ?? after.#inode(inode.afterCrash(policy.data, random))
        contents.set(inode, found)
        entries.set(name, found)
      }
      after.#directories.set(path, new SimulatedDirectory(entries))
    }
    return after
  }

  /** Paths of all files, sorted. */
  files(): readonly string[] {
    return [...this.#directories]
      .flatMap(([path, directory]) => [...directory.entries.keys()].map((name) => joinPath(path, name)))
      .sort()
  }

  /** True when a power cut now would lose nothing. */
  get clean(): boolean {
    const directories = [...this.#directories.values()]
    return !directories.some(({ dirty }) => dirty) && ![...this.#inodes()].some(({ dirty }) => dirty)
  }

  /** Bytes of all files. */
  get usedBytes(): number {
    let bytes = 0
    for (const inode of this.#inodes()) bytes += inode.length
    return bytes
  }

  makeDirectory(path: string): void {
    if (path === '.') return
    const parent = parentOf(path)
    this.makeDirectory(parent)
    if (this.find(path) !== undefined) throw failure('EXISTS', 'makeDirectory', path)
    if (!this.#directories.has(path)) this.#directories.set(path, new SimulatedDirectory())
  }

  list(path: string): readonly DirectoryEntry[] {
    const files = [...this.directory(path, 'list').entries.keys()].map((name) => ({ name, directory: false }))
    const directories = [...this.#directories.keys()]
      .filter((other) => other !== '.' && parentOf(other) === path)
      .map((other) => ({ name: nameOf(other), directory: true }))
    return [...files, ...directories]
  }

  directory(path: string, operation: string): SimulatedDirectory {
    const directory = this.#directories.get(checkDevicePath(path))
    if (directory === undefined) throw failure('NOT_FOUND', operation, path)
    return directory
  }

  find(path: string): SimulatedInode | undefined {
    return this.#directories.get(parentOf(checkDevicePath(path)))?.entries.get(nameOf(path))
  }

  mustFind(path: string, operation: string): SimulatedInode {
    const { directory, name } = this.#place(path, operation)
    const inode = directory.entries.get(name)
    if (inode === undefined) throw failure('NOT_FOUND', operation, path)
    return inode
  }

  create(path: string, operation: string): SimulatedInode {
    const { directory, name } = this.#freePlace(path, operation)
    const inode = this.#inode()
    directory.change([name, inode])
    return inode
  }

  link(existing: string, created: string): void {
    const inode = this.mustFind(existing, 'link')
    const { directory, name } = this.#freePlace(created, 'link')
    directory.change([name, inode])
  }

  rename(source: string, target: string): void {
    const inode = this.mustFind(source, 'rename')
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

  unlink(path: string): void {
    this.mustFind(path, 'unlink')
    const { directory, name } = this.#place(path, 'unlink')
    directory.change([name, undefined])
  }

  /** Files that have a name, or may have one after a power cut, with a path of each. */
  #reachable(): ReadonlyMap<SimulatedInode, string> {
    const found = new Map<SimulatedInode, string>()
    for (const [path, directory] of this.#directories) {
      for (const [name, inode] of directory.named()) if (!found.has(inode)) found.set(inode, joinPath(path, name))
    }
    return found
  }

  #inode(content?: FileContent): SimulatedInode {
    return new SimulatedInode(this.#identityNext++, content)
  }

  /** Each file once, however many names it has. */
  #inodes(): ReadonlySet<SimulatedInode> {
    return new Set([...this.#directories.values()].flatMap((directory) => [...directory.entries.values()]))
  }

  #place(path: string, operation: string): Place {
    return { directory: this.directory(parentOf(checkDevicePath(path)), operation), name: nameOf(path) }
  }

  #freePlace(path: string, operation: string): Place {
    const place = this.#place(path, operation)
    if (place.directory.entries.has(place.name) || this.#directories.has(path)) throw failure('EXISTS', operation, path)
    return place
  }
}

function nameOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1)
}
