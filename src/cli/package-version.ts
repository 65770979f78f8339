/** The version of the package this file belongs to, wherever it has been compiled to. */

import { existsSync, readFileSync } from 'node:fs'

export function packageVersion(): string {
  let folder = new URL('./', import.meta.url)
  for (;;) {
    const manifest = new URL('package.json', folder)
    if (existsSync(manifest)) {
      const { version } = JSON.parse(readFileSync(manifest, 'utf8')) as { readonly version?: unknown }
      if (typeof version === 'string') return version
    }
    const parent = new URL('../', folder)
    if (parent.href === folder.href) return 'unknown'
    folder = parent
  }
}
