/**
 * Placement: which node gets which shard, as a pure function, so that anybody's orchestrator can ask.
 *
 * Rendezvous hashing (Thaler and Ravishankar 1998) with weights (−weight ÷ ln of the hash), in the bounds of consistent
 * hashing with bounded loads (Mirrokni, Thorup, Zadimoghaddam 2016): each shard has an order of all nodes that depends on
 * nothing but their names, and gets the first with room. What is placed stays while its node is there and has room, so
 * that a node that goes moves only what it had, and one that comes takes only what the others have too much of.
 */

import { hashKey } from '../kernel/hash.ts'

/** Somebody who can have shards. */
export interface PlacedNode {
  /** As in `owner` of a map's entries; once only. */
  readonly name: string
  /** How much it can carry, compared with the others. Above 0; default 1. */
  readonly weight?: number
}

/** A shard that has to be somewhere. */
export interface PlacedShard {
  /** Its id; once only. */
  readonly shard: string
  /** How much it is to carry, compared with the others. Above 0; default 1. */
  readonly weight?: number
}

/** What there is to place, and where. */
export interface PlacementInput {
  /** In any order. At least one, where there are shards. */
  readonly nodes: readonly PlacedNode[]
  /** In any order. */
  readonly shards: readonly PlacedShard[]
  /** Node of each shard now. Those it does not name, or of nodes that are not there, are new. */
  readonly current?: ReadonlyMap<string, string>
  /**
   * A node may carry so many times its share before it gives anything up. Less: more even; more: fewer moves. At least 1,
   * default PLACEMENT_SLACK.
   */
  readonly slack?: number
}

/** The paper's example: a quarter above the share, where few of the first choices are full. */
export const PLACEMENT_SLACK = 1.25

interface Node {
  readonly name: string
  readonly weight: number
  readonly bound: number
  load: number
}

interface Item {
  readonly shard: string
  readonly weight: number
}

/**
 * Places every shard. The same input gives the same placement, whatever its order; its own result as `current` gives it again.
 *
 * @returns node by shard
 * @throws {RangeError} no node for shards, a weight that is not above 0, or a name that is there twice
 * @throws {TypeError} what is no node, shard or `current`
 */
export function placeShards({ nodes, shards, current, slack = PLACEMENT_SLACK }: PlacementInput): Map<string, string> {
  for (const node of nodes) requireName('node', node, node.name)
  for (const item of shards) requireName('shard', item, item.shard)
  if (current !== undefined && typeof current.get !== 'function')
    throw new TypeError('current must be a Map: the name of a node by the name of each shard')
  if (!(slack >= 1)) throw new RangeError(`slack must be at least 1, got ${slack}`)
  const items = shards
    .map(({ shard, weight }): Item => ({ shard, weight: weightOf(shard, weight) }))
    // Large ones first, while there is room for them anywhere.
    .sort((a, b) => b.weight - a.weight || compare(a.shard, b.shard))
  requireUnique(items.map(({ shard }) => shard))
  requireUnique(nodes.map(({ name }) => name))
  if (items.length === 0) return new Map()
  if (nodes.length === 0) throw new RangeError('there is no node to place shards on')
  const total = items.reduce((sum, { weight }) => sum + weight, 0)
  const capacity = nodes.reduce((sum, { name, weight }) => sum + weightOf(name, weight), 0)
  const byName = new Map<string, Node>()
  for (const { name, weight } of [...nodes].sort((a, b) => compare(a.name, b.name))) {
    const own = weightOf(name, weight)
    byName.set(name, { name, weight: own, bound: (slack * total * own) / capacity, load: 0 })
  }
  const placed = keep(items, byName, current)
  for (const item of items) {
    if (placed.has(item.shard)) continue
    const node = choose(item, [...byName.values()], byName.get(current?.get(item.shard) ?? ''))
    node.load += item.weight
    placed.set(item.shard, node.name)
  }
  return placed
}

/** What stays where it is: on each node as much as it has room for, in the order in which shards are placed. */
function keep(
  items: readonly Item[],
  nodes: ReadonlyMap<string, Node>,
  current: ReadonlyMap<string, string> | undefined,
): Map<string, string> {
  const kept = new Map<string, string>()
  for (const { shard, weight } of items) {
    const node = nodes.get(current?.get(shard) ?? '')
    if (node === undefined || !hasRoom(node, weight)) continue
    node.load += weight
    kept.set(shard, node.name)
  }
  return kept
}

/** The first choice with room; where none has, where it was; a new one goes where it is least above the share. */
function choose(item: Item, nodes: readonly Node[], former: Node | undefined): Node {
  const order = [...nodes].sort((a, b) => score(item.shard, b) - score(item.shard, a) || compare(a.name, b.name))
  const free = order.find((node) => hasRoom(node, item.weight))
  if (free !== undefined) return free
  if (former !== undefined) return former
  const filling = (node: Node): number => (node.load + item.weight) / node.weight
  return order.reduce((best, node) => (filling(node) < filling(best) ? node : best))
}

/** Some tolerance: bounds are quotients, and loads are sums. */
function hasRoom({ load, bound }: Node, weight: number): boolean {
  return load + weight <= bound * (1 + 1e-9)
}

function score(shard: string, { name, weight }: Node): number {
  // A name cannot hold what joins the two, so no two pairs are the same text.
  const bytes = new TextEncoder().encode(`${name}\0${shard}`)
  // Of the open interval (0, 1): the logarithm is neither 0 nor infinite.
  const uniform = (hashKey(bytes, 0, bytes.length, 0) + 0.5) / 2 ** 32
  return -weight / Math.log(uniform)
}

function weightOf(name: string, weight = 1): number {
  if (weight > 0 && Number.isFinite(weight)) return weight
  throw new RangeError(`the weight of ${name} must be above 0, got ${weight}`)
}

function requireName(what: 'node' | 'shard', given: unknown, name: unknown): void {
  if (typeof name === 'string') return
  const shape = what === 'node' ? '{ name, weight? }' : '{ shard, weight? }'
  throw new TypeError(`a ${what} to place is ${shape}, got ${JSON.stringify(given)}`)
}

function requireUnique(names: readonly string[]): void {
  if (new Set(names).size !== names.length) throw new RangeError('a name is there twice')
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
