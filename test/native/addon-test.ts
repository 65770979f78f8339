/** Tests that need the addon: skipped, with the reason, where it has not been built. */

import { test } from 'node:test'
import type { TestContext } from 'node:test'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { loadNative } from '../../src/native/load-native.ts'
import { NativeFileCalls } from '../../src/native/native-file-calls.ts'
import { SystemClock } from '../../src/system-clock.ts'
import type { NativeAddon } from '../../src/native/native.ts'

export const PAGE = 4096

const loaded = loadNative()
const NOT_BUILT = { skip: 'there is no addon: npm run build:native makes it, where there is a C compiler' }

export function testWithAddon(
  name: string,
  options: { skip?: string },
  body: (context: TestContext) => Promise<void>,
): unknown {
  return test(name, loaded === undefined ? NOT_BUILT : options, body)
}

/** Only within a test with the addon. */
export function addon(): NativeAddon {
  if (loaded === undefined) throw new Error(NOT_BUILT.skip)
  return loaded
}

/** A directory for one test, and calls through the addon in it. */
export async function place(context: TestContext): Promise<{ directory: string; calls: NativeFileCalls }> {
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'varve-native-'))
  const calls = new NativeFileCalls(addon(), directory, new SystemClock())
  context.after(async () => {
    await calls.close()
    fs.rmSync(directory, { recursive: true, force: true })
  })
  return { directory, calls }
}

/** A file whose every page begins with its number; open for reading and writing. */
export function pages(directory: string, count: number): number {
  const file = path.join(directory, 'pages')
  const bytes = new Uint8Array(count * PAGE)
  const words = new Uint32Array(bytes.buffer)
  for (let page = 0; page < count; page++) words[(page * PAGE) / 4] = page
  fs.writeFileSync(file, bytes)
  return fs.openSync(file, 'r+')
}

export const numberOf = (bytes: Uint8Array): number => new Uint32Array(bytes.buffer, bytes.byteOffset, 1)[0] as number
