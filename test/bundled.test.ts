/** Applications that have varve in their bundle, though they should leave it out. */

import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { rollup } from 'rollup'
import { ROOT } from '../tools/repository.ts'

const application = (varve: string): string => `
import { open } from ${JSON.stringify(varve)}
async function opened(directory, options) {
  const db = await open(directory, { ...options, settings: { compression: 'none' } })
  await db.put(Buffer.from('key'), Buffer.from('value'))
  await db.flush()
  await db.close()
  return 'opened'
}
const tell = (error) => error.code + ': ' + error.message
const [, , directory] = process.argv
opened(directory, {}).catch(tell).then(async (threads) => {
  console.log(JSON.stringify({ threads, inline: await opened(directory, { jobs: 'inline' }).catch(tell) }))
})`

// It ended with "TypeError: Invalid URL" before its first line.
for (const format of ['cjs', 'es'] as const) {
  test(`a bundle (${format}) with varve in it is told to leave it out, and works without threads`, async () => {
    const folder = mkdtempSync(join(tmpdir(), 'varve-bundled-'))
    try {
      symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'))
      const input = join(folder, 'application.mjs')
      writeFileSync(input, application(join(ROOT, 'dist/index.js')))
      const bundle = await rollup({
        input,
        external: (id) => !/^[./]/.test(id),
        onwarn: () => undefined,
        // As esbuild does: CommonJS has no import.meta.
        plugins: [{ name: 'bundler', resolveImportMeta: () => (format === 'cjs' ? 'undefined' : undefined) }],
      })
      const out = join(folder, format === 'cjs' ? 'bundle.cjs' : 'bundle.mjs')
      const { output } = await bundle.generate({ format, inlineDynamicImports: true })
      writeFileSync(out, output[0].code)
      const ran = spawnSync(process.execPath, [out, join(folder, 'database')], { encoding: 'utf8' })
      assert.equal(ran.stderr, '')
      const { threads, inline } = JSON.parse(ran.stdout) as Record<string, string>
      assert.match(
        threads ?? '',
        /^UNSUPPORTED: .* a bundle must leave varve out, as an external package, or open with/,
      )
      assert.equal(inline, 'opened')
    } finally {
      rmSync(folder, { recursive: true })
    }
  })
}
