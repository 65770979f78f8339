/** What stands around the printed split and merge: a shard with entries on both sides, its map, and what must be there after. */

export const BEFORE_SPLIT = `import { MapStore, rangeMap } from 'varve/cluster'

const orders = shard
const at = Buffer.from('m')
for (const name of ['a', 'z']) await orders.put(Buffer.from(name), Buffer.from(name))
const store = new MapStore({ heads: parts.heads, name: shardId('map') })
await store.create(rangeMap([{ shard: shardId('orders') }]))
const openAt = (name: string) => openKv({ ...parts, shard: shardId(name) })
`

export const AFTER_SPLIT = `
await orders.close()
const [left, right] = [await openAt('orders-a'), await openAt('orders-b')]
const owners = (await store.read()).entries.map(({ shard }) => String(shard))
if (owners.join() !== 'orders-a,orders-b') throw new Error(\`the map has \${owners}\`)
`

export const AFTER_MERGE = `
await left.close()
await right.close()
const merged = await openAt('orders-c')
for (const name of ['a', 'z']) {
  if (String(await merged.get(Buffer.from(name))) !== name) throw new Error(\`\${name} is not there\`)
}
if ((await store.read()).entries.length !== 1) throw new Error('the map has more than one shard')
await merged.close()
`
