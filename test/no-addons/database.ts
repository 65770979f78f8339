/** What a process that may load no addon is told of a database whose blocks are compressed: one line of JSON. */

import { existsSync } from 'node:fs'
import { openKv } from '../../src/engines/kv/open-kv.ts'
import { VarveError } from '../../src/kernel/errors.ts'
import { repair } from '../../src/local-repair.ts'
import { localComponents } from '../../src/local-components.ts'
import { KV_HANDLERS, open } from '../../src/local.ts'

const [, , directory = ''] = process.argv

async function told(call: () => Promise<unknown>): Promise<string> {
  try {
    await call()
    return 'nothing'
  } catch (error) {
    if (error instanceof VarveError) return `${error.code}: ${error.message}`
    throw error
  }
}

const read = await open(directory, { readOnly: true, jobs: 'inline' })
const answers: Record<string, string> = {
  get: await told(() => read.get(Buffer.from('key 7'))),
  getSync: await told(async () => read.getSync(Buffer.from('key 7'))),
  scan: await told(() => read.scan().next(100)),
  verify: await told(async () => {
    for await (const { damage } of read.verify())
      if (damage !== undefined) throw new Error('damaged', { cause: damage })
  }),
}
await read.close()
const saved = `${directory}-saved`
answers['repair'] = await told(() => repair(directory, saved))
answers['repaired'] = String(existsSync(saved) && existsSync(`${saved}/heads`))
answers['open'] = await told(() => open(directory, { jobs: 'inline' }))
answers['openNew'] = await told(() => open(`${directory}-new`, { jobs: 'inline' }))
answers['made'] = String(existsSync(`${directory}-new`))
// Of parts of one's own, nobody knows on opening whether their jobs can do without.
const composed = await openKv(await localComponents(directory, { jobs: 'inline', handlers: KV_HANDLERS }))
await composed.put(Buffer.from('more'), Buffer.alloc(1000))
answers['flush'] = await told(() => composed.flush())
await composed.close()
const plain = await open(directory, { jobs: 'inline', settings: { compression: 'none' } })
answers['flushPlain'] = await told(() => plain.flush())
await plain.close()
console.log(JSON.stringify(answers))
