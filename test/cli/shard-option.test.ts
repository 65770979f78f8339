/** Directories of several shards, one of which a command is about. */

import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import { openKv } from '../../src/engines/kv/open-kv.ts'
import { shardId } from '../../src/kernel/ids.ts'
import { localComponents } from '../../src/local-components.ts'
import { KV_HANDLERS } from '../../src/local.ts'
import { Workplace } from './varve-process.ts'

/** `data` with the shards `north` and `south`: each has its own name under `name`, in a table, and under `late`, in the journal. */
async function makePlace(context: TestContext): Promise<Workplace> {
  const place = new Workplace(context)
  for (const name of ['north', 'south']) {
    const components = await localComponents(place.in('data'), { jobs: 'inline', handlers: KV_HANDLERS })
    const db = await openKv({ ...components, shard: shardId(name) })
    await db.put(Buffer.from('name'), Buffer.from(name))
    await db.flush()
    await db.put(Buffer.from('late'), Buffer.from(name))
    await db.close()
  }
  return place
}

test('commands read and write the shard that is named, and leave the others alone', async (context) => {
  const place = await makePlace(context)
  const run = async (...words: readonly string[]): Promise<string> => {
    const outcome = await place.varve([...words, '--shard', 'south'])
    assert.equal(outcome.code, 0, `${words.join(' ')}: ${outcome.errors}`)
    return outcome.text
  }
  assert.equal(await run('get', 'data', 'name'), 'south')
  await run('put', 'data', 'more', 'of it')
  await run('delete', 'data', 'late')
  assert.equal(await run('scan', 'data'), 'more\tof it\nname\tsouth\n')
  await run('compact', 'data')
  assert.match(await run('stats', 'data'), /^epoch/m)
  assert.match(await run('tree', 'data', '--tables'), /south\.e/)
  assert.match(await run('verify', 'data'), /everything is whole: 1 table/)
  await run('export', 'data', 'saved.jsonl')
  await run('import', 'data', 'saved.jsonl')
  const north = await place.varve(['scan', 'data', '--shard=north'])
  assert.equal(north.text, 'late\tnorth\nname\tnorth\n')
})

test('dump shows head, journal and tables of the shard that is named, and without a name every head', async (context) => {
  const place = await makePlace(context)
  const dump = async (...words: readonly string[]): Promise<string> => {
    const outcome = await place.varve(['dump', 'data', ...words])
    assert.equal(outcome.code, 0, outcome.errors)
    return outcome.text
  }
  assert.match(await dump('journal', '--shard', 'north'), /put {2}late/)
  assert.match(await dump('tables', '--shard', 'north'), /^level 0 {2}north\./m)
  assert.match(await dump('table', 'north', '--shard', 'north', '--entries'), /put {2}5 bytes {2}north/)
  const head = await dump('head', '--shard', 'north')
  assert.match(head, /^head north\.head-/m)
  assert.doesNotMatch(head, /^head south\./m)
  const heads = await dump('head')
  for (const name of ['north', 'south']) assert.ok(heads.includes(`head ${name}.head-`))
})

// The journal of `main`, which was never there, was shown as a lost one; `put` made it.
test('a command that names no shard of the directory names those there are, and makes none', async (context) => {
  const place = await makePlace(context)
  const before = readdirSync(place.in('data/heads'))
  for (const words of [
    ['get', 'data', 'name'],
    ['put', 'data', 'name', 'value'],
    ['delete', 'data', 'name'],
    ['scan', 'data', '--shard', 'nrth'],
    ['put', 'data', 'name', 'value', '--shard', 'nrth'],
    ['verify', 'data'],
    ['compact', 'data'],
    ['dump', 'data', 'journal'],
    ['dump', 'data', 'tables', '--shard', 'nrth'],
    ['dump', 'data', 'head', '--shard', 'nrth'],
  ]) {
    const { code, errors } = await place.varve(words)
    assert.equal(code, 1, `${words.join(' ')}: ${errors}`)
    assert.match(errors, /NOT_FOUND: there is no shard (?:main|nrth) in data: name one of those it has, north, south$/m)
    assert.match(errors, /^Name it with `--shard NAME`\.$/m)
  }
  assert.deepEqual(readdirSync(place.in('data/heads')), before)
})

test('a name that no shard can have is a mistake of the command line', async (context) => {
  const place = await makePlace(context)
  const { code, errors } = await place.varve(['get', 'data', 'name', '--shard', 'North Sea'])
  assert.equal(code, 2)
  assert.match(errors, /--shard: shard id "North Sea" must match/)
})

test('put makes a shard of another name in a new directory', async (context) => {
  const place = new Workplace(context)
  const made = await place.varve(['put', 'fresh', 'key', 'value', '--shard', 'east'])
  assert.match(made.errors, /made a new shard in fresh/)
  assert.equal((await place.varve(['get', 'fresh', 'key', '--shard', 'east'])).text, 'value')
  assert.match((await place.varve(['get', 'fresh', 'key'])).errors, /name one of those it has, east$/m)
})
