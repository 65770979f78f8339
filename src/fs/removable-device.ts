/**
 * A directory of this machine that knows what was made in it through this device, so that all of that can be removed, and
 * nothing else.
 *
 * By name: a process that has no descriptor left, which may be why it has to be removed, cannot list a directory.
 */

import type { DeviceFile, OpenMode } from '../kernel/device.ts'
import { NodeDevice } from './node-device.ts'

export class RemovableDevice extends NodeDevice {
  /** In the order in which they were made: what is in a directory after the directory. */
  readonly #made = new Map<string, 'file' | 'directory'>()

  override async open(file: string, mode: OpenMode): Promise<DeviceFile> {
    const opened = await super.open(file, mode)
    if (mode === 'create') this.#made.set(file, 'file')
    return opened
  }

  override async makeDirectory(directory: string): Promise<void> {
    // Before it is: it may be made, and not stored.
    if (this.statSync(directory) === undefined) this.#made.set(directory, 'directory')
    await super.makeDirectory(directory)
  }

  override async link(existing: string, created: string): Promise<void> {
    await super.link(existing, created)
    this.#made.set(created, 'file')
  }

  override async linkFrom(source: NodeDevice, existing: string, created: string): Promise<void> {
    await super.linkFrom(source, existing, created)
    this.#made.set(created, 'file')
  }

  override async unlink(file: string): Promise<void> {
    await super.unlink(file)
    this.#made.delete(file)
  }

  /** Removes what was made and is still there, whatever of it cannot be removed. */
  async removeMade(): Promise<void> {
    for (const [path, kind] of [...this.#made].reverse()) {
      const removed = kind === 'file' ? this.unlink(path) : this.removeDirectory(path)
      await removed.catch(() => undefined)
    }
    this.#made.clear()
  }
}
