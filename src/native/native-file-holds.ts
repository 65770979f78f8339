/**
 * Holding files by `flock`: a lock on an open file, which the system takes away when the process ends.
 *
 * The holder's lock is exclusive. Whoever only asks takes a shared one for a moment, so that askers do not see each other.
 */

import fs from 'node:fs'
import path from 'node:path'
import type { FileHold, FileHolds } from '../fs/file-holds.ts'
import { checkDevicePath } from '../fs/device-path.ts'
import type { NativeAddon } from './native.ts'
import { EAGAIN } from './system-error.ts'

// Somebody who asks is in the way for a microsecond or two.
const ATTEMPTS_MAX = 1000

export class NativeFileHolds implements FileHolds {
  readonly #addon: NativeAddon
  readonly #root: string

  /** @param root directory that all paths are relative to: the device's */
  constructor(addon: NativeAddon, root: string) {
    this.#addon = addon
    this.#root = path.resolve(root)
  }

  hold(file: string): FileHold | undefined {
    let fd: number | undefined = this.#open(file, fs.constants.O_RDWR)
    if (fd === undefined) return undefined
    let answer = -EAGAIN
    for (let attempt = 0; attempt < ATTEMPTS_MAX && answer === -EAGAIN; attempt++) {
      answer = this.#addon.lockFile(fd, true)
    }
    const release = (): void => {
      if (fd !== undefined) fs.closeSync(fd)
      fd = undefined
    }
    if (answer === 0) return { release }
    release()
    return undefined
  }

  isHeld(file: string): boolean {
    const fd = this.#open(file, fs.constants.O_RDONLY)
    if (fd === undefined) return false
    try {
      return this.#addon.lockFile(fd, false) === -EAGAIN
    } finally {
      fs.closeSync(fd)
    }
  }

  #open(file: string, flags: number): number | undefined {
    try {
      return fs.openSync(
        path.join(this.#root, checkDevicePath(file)),
        flags | fs.constants.O_NOFOLLOW | fs.constants.O_NONBLOCK,
      )
    } catch {
      return undefined
    }
  }
}
