/**
 * Joins the modules of a build into few files: `node tools/bundle.mjs OUT`. What package.json names keeps its place, and all
 * share what they have in common, so that a class is one class whichever way it was imported.
 *
 * Importing three hundred modules one by one takes a process 150 to 190 ms, and every worker thread half of that; joined, 45.
 *
 * Plain JavaScript, because it runs before anything of ours is built.
 */

import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { argv } from 'node:process'
import { rollup } from 'rollup'

const CHUNKS = 'chunks'

/** @param {string} out @returns {string[]} its modules */
function modulesIn(out) {
  return readdirSync(out, { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.js') && !path.startsWith(CHUNKS))
    .map((path) => join(out, path))
}

/** @param {string} out @param {string[]} modules @returns {Set<string>} those that somebody outside asks for by their place */
function entriesOf(out, modules) {
  const { bin, exports } = JSON.parse(readFileSync(join(out, '..', 'package.json'), 'utf8'))
  const named = [...Object.values(bin), ...Object.values(exports).map((entry) => entry.default ?? entry)]
  const entries = new Set(named.filter((path) => path.endsWith('.js')).map((path) => resolve(out, '..', path)))
  for (const path of modules) {
    const text = readFileSync(path, 'utf8')
    // Threads and processes are started, and handlers found, by the URL of a module.
    for (const [, target] of text.matchAll(/new URL\('(\.{1,2}\/[^']+\.js)'/g))
      entries.add(resolve(dirname(path), target))
    if (/(?<!(?:new URL|createRequire)\([^)]*)import\.meta\.url/.test(text)) entries.add(path)
  }
  return entries
}

/**
 * What the main entry needs is one file, which the others then have in common.
 *
 * @param {string} main
 */
function core(main) {
  /** @type {Set<string> | undefined} */
  let modules
  return (/** @type {string} */ id, /** @type {import('rollup').ManualChunkMeta} */ { getModuleInfo }) => {
    if (modules === undefined) {
      modules = new Set([main])
      for (const each of modules) for (const next of getModuleInfo(each)?.importedIds ?? []) modules.add(next)
    }
    return modules.has(id) ? 'core' : undefined
  }
}

/** @param {string | null} module @returns {string} the line that makes a program of it, which is lost on the way */
function hashbangOf(module) {
  return module === null ? '' : (/^#!.*/.exec(readFileSync(module, 'utf8'))?.[0] ?? '')
}

/** @param {string} out */
async function bundle(out) {
  const modules = modulesIn(out)
  const entries = entriesOf(out, modules)
  for (const entry of entries) if (!existsSync(entry)) throw new Error(`there is no ${entry}`)
  const bundled = await rollup({
    input: Object.fromEntries([...entries].map((path) => [relative(out, path).slice(0, -'.js'.length), path])),
    external: (id) => !/^[./]/.test(id),
    // What a module does when it is loaded is its own business.
    treeshake: false,
    onwarn: ({ code, message }) => {
      // How the compiler begins its helpers.
      if (code !== 'THIS_IS_UNDEFINED') throw new Error(message)
    },
    plugins: [
      {
        name: 'varve',
        load: (path) => ({ code: readFileSync(path, 'utf8'), map: readFileSync(`${path}.map`, 'utf8') }),
        // A module's URL stays what it was, wherever its text is now.
        resolveImportMeta: (property, { moduleId, chunkId }) => {
          if (property !== 'url') throw new Error(`import.meta.${property} in ${moduleId}`)
          const place = relative(dirname(join(out, chunkId)), moduleId)
          // Where another bundler has made CommonJS of it there is no such URL: what is missing beside its file is told when
          // a directory is opened, and nothing fails before that.
          const url = `new URL(${JSON.stringify(place.startsWith('.') ? place : `./${place}`)}, import.meta.url).href`
          return `(import.meta.url === undefined ? 'file://' + encodeURI(__filename) : ${url})`
        },
      },
    ],
  })
  const { output } = await bundled.generate({
    dir: out,
    format: 'es',
    sourcemap: true,
    entryFileNames: '[name].js',
    chunkFileNames: `${CHUNKS}/[name].js`,
    banner: ({ facadeModuleId }) => hashbangOf(facadeModuleId),
    manualChunks: core(join(out, 'index.js')),
  })
  await bundled.close()
  rmSync(join(out, CHUNKS), { recursive: true, force: true })
  for (const path of modules) for (const each of [path, `${path}.map`]) rmSync(each, { force: true })
  for (const file of output) {
    const path = join(out, file.fileName)
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, file.type === 'chunk' ? file.code : file.source)
  }
}

const [, , out] = argv
if (out === undefined) throw new TypeError('usage: node tools/bundle.mjs OUT')
await bundle(resolve(out))
