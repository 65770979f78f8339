/** A limit of memory for a process and its share of the page cache, where a control group may be made: as root, on Linux. */

import { existsSync, mkdirSync, rmdirSync, writeFileSync } from 'node:fs'

/** Version 1 keeps memory in a hierarchy of its own, version 2 has one for everything. */
const VERSIONS = [
  { root: '/sys/fs/cgroup/memory', file: 'memory.limit_in_bytes' },
  { root: '/sys/fs/cgroup', file: 'memory.max' },
] as const

export class ControlGroup {
  readonly #folder: string

  private constructor(folder: string) {
    this.#folder = folder
  }

  /** Undefined where it is not permitted. */
  static make(name: string, memoryBytes: number): ControlGroup | undefined {
    for (const { root, file } of VERSIONS) {
      const folder = `${root}/${name}`
      try {
        if (!existsSync(folder)) mkdirSync(folder)
        if (!existsSync(`${folder}/${file}`)) {
          rmdirSync(folder)
          continue
        }
        writeFileSync(`${folder}/${file}`, String(memoryBytes))
        return new ControlGroup(folder)
      } catch {
        // The next version, or none.
      }
    }
    return undefined
  }

  /** Moves a process in, with what it starts from then on. */
  add(processId: number): void {
    writeFileSync(`${this.#folder}/cgroup.procs`, String(processId))
  }

  /** When every process in it has ended. */
  remove(): void {
    try {
      rmdirSync(this.#folder)
    } catch {
      // A process that has just ended may still be counted; the empty group disturbs nobody.
    }
  }
}
