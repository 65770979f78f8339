/** `varve verify` and `varve repair` of a database with files of another one that was made by the same recipe. */

import assert from 'node:assert/strict'
import fs from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { after, test } from 'node:test'
import { repair } from '../../src/local-repair.ts'
import { open } from '../../src/local.ts'
import { Workplace } from '../cli/varve-process.ts'
import type { Damage } from './damage.ts'
import { byGroups, oneByOne } from './exchange.ts'
import type { Image } from './image.ts'
import { makeSpecimens } from './specimen.ts'

const [ours] = await makeSpecimens({ sign: '-', seed: 100 })
const [theirs] = await makeSpecimens({ sign: '+', seed: 200 })
assert.ok(ours !== undefined && theirs !== undefined)
const [content] = ours.contents
// Of everything that there is more than one of, one.
const LIKE_OTHERS = /e1-\w+-j[2-9]/
const EXCHANGES: readonly Damage[] = [
  ...[...oneByOne(ours, theirs)].filter(({ paths }) => !LIKE_OTHERS.test(paths[0] as string)),
  ...[...byGroups(ours, theirs)].filter(({ what }) =>
    /^(?:the tables|the journal|the segments|all but the heads) of/.test(what),
  ),
]

const temporary = await fs.mkdtemp(path.join(os.tmpdir(), 'varve-exchange-'))
after(() => fs.rm(temporary, { recursive: true, force: true }))

async function store(image: Image, name: string): Promise<string> {
  const directory = path.join(temporary, name)
  for (const [file, bytes] of image) {
    if (file === 'lock') continue
    const full = path.join(directory, file)
    await fs.mkdir(path.dirname(full), { recursive: true })
    await fs.writeFile(full, bytes)
  }
  return directory
}

async function contentOf(directory: string): Promise<ReadonlyMap<string, string>> {
  const db = await open(directory, { readOnly: true, jobs: 'inline' })
  try {
    const found = new Map<string, string>()
    for await (const { key, value } of db.scan())
      found.set(Buffer.from(key).toString('latin1'), Buffer.from(value).toString('latin1'))
    return found
  } finally {
    await db.close()
  }
}

test('whatever of another database is repaired into another place, no value of that is in it, and all that is lost is told', async (context) => {
  let told = 0
  for (const [number, { what, image }] of EXCHANGES.entries()) {
    const target = path.join(temporary, `repaired-${number}`)
    const { losses } = await repair(await store(image, `exchanged-${number}`), target)
    const found = await contentOf(target)
    if (losses.length === 0) assert.deepEqual(found, content, what)
    else told++
    for (const [key, value] of found) assert.ok(!value.includes('+'), `${what}: ${key} is ${value}`)
  }
  context.diagnostic(`${told} of ${EXCHANGES.length} exchanges were told`)
  assert.ok(told > EXCHANGES.length / 2)
})

test('varve verify names what is of another database, or all that is answered is right', async (context) => {
  const workplace = new Workplace(context)
  let named = 0
  for (const [number, { what, image }] of EXCHANGES.entries()) {
    const directory = await store(image, `verified-${number}`)
    const { code, text, errors } = await workplace.inProcess(['verify', directory])
    if (code === 0) assert.deepEqual(await contentOf(directory), content, what)
    else {
      named++
      assert.match(text + errors, /main\.e\d+-\w+-|\.log|fence\./, what)
    }
  }
  context.diagnostic(`${named} of ${EXCHANGES.length} exchanges were named`)
  assert.ok(named > EXCHANGES.length / 2)
})
