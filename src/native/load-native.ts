/**
 * Finds the addon: beside this file, where building and packing put it, if there is one for this machine.
 *
 * `VARVE_NATIVE=0` turns it off. Whatever else stands in its way (another platform, another C library, a broken file, one
 * that was built from older sources) means the same: everything works without.
 */

import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import type { NativeAddon } from './native.ts'

// Raised with every change of a function: native/addon.c has the same.
const INTERFACE_VERSION = 6

export function loadNative(): NativeAddon | undefined {
  if (process.env['VARVE_NATIVE'] === '0') return undefined
  try {
    const path = fileURLToPath(new URL(`./${process.platform}-${process.arch}.node`, import.meta.url))
    const addon = createRequire(import.meta.url)(path) as NativeAddon
    return addon.interfaceVersion === INTERFACE_VERSION ? addon : undefined
  } catch {
    return undefined
  }
}
