/** The directories and files of a simulated disk. Directories are durable once made; their entries are not. */

import type { DirectoryEntry } from '../kernel/device.ts'
import type { Random } from '../kernel/random.ts'
import { checkDevicePath, joinPath, parentOf } from '../fs/device-path.ts'
import { SimulatedDirectory } from './simulated-directory.ts'
import { failure } from './simulated-failure.ts'
import { SimulatedInode } from './simulated-inode.ts'
import type { KeptChanges } from './simulated-inode.ts'

/** What survives a power cut of what was not synced: of the data of files, and of the names in directories. */
export interface CrashPolicy {
  readonly data: KeptChanges
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

  #inode(content?: Uint8Array): SimulatedInode {
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
