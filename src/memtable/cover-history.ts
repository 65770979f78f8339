/**
 * Which of many range tombstones is the newest over a key, among the first n of them, for every n.
 *
 *      tombstones       3:     ├──┤
 *                       2:   ├────────┤
 *                       1: ├────┤
 *      pieces of all    0 │1│2│3 │2   │0
 *      of the first 2   0 │1│2        │0
 *      of the first     0 │1    │0
 *
 * A piece begins at a cut and reaches to the next; it knows the newest tombstone over it. One that comes is newer than all
 * others, so it replaces what begins inside of it and cuts what it divides. All pieces that ever were are in a B+tree whose
 * entries know with how many tombstones they came and with how many they went. A node that is full stays as it is, for those
 * who see fewer tombstones, and what has not gone from it goes on in one new node or two, from the root down: so at every
 * count there is a whole tree of a few levels, whatever overlaps whatever. A tombstone takes log n steps, and space for
 * about ten references: what is inside of it goes with the nodes that hold it, which nobody visits.
 *
 * It is a multiversion B-tree (Becker, Gschwind, Ohler, Seeger, Widmayer: An asymptotically optimal multiversion B-tree,
 * 1996) that never joins nodes: what has been full once may become sparse, but there are never more nodes than there were
 * insertions for.
 */

import { assert } from '../kernel/assert.ts'
import { AFTER_ALL, BEFORE_ALL, compareCuts, lastCutBefore } from '../kernel/key-cut.ts'
import type { CutSide, KeyCut } from '../kernel/key-cut.ts'
import type { KeyOrder } from '../kernel/key-order.ts'
import { raiseLower, reduceUpper } from '../kernel/range-tombstone.ts'
import type { RangeStretch } from '../kernel/range-tombstone.ts'

// Larger: a lower tree, and more to move for an insertion.
const NODE_PIECES_MAX = 64
// With more that have not gone, a full node is followed by two. Either has room for at least 24 before it is full.
const NODE_PIECES_KEPT = 40
/** Has not gone; a small integer, so that it is kept in place. */
const NEVER = 2 ** 31 - 1

/** Ascending by where they begin. With every count there is one that begins where the node does. */
type Node = Piece[]

/** Begins at the cut that it is. */
class Piece implements KeyCut {
  readonly key: Uint8Array
  readonly side: CutSide
  /** The newest tombstone over it, counted from 1; 0: none. Of no meaning where there is a node. */
  readonly newest: number
  /** Everything up to where the next piece begins; undefined in a leaf. */
  readonly node: Node | undefined
  /** It is there for those who see at least so many tombstones… */
  readonly came: number
  /** …and fewer than these. */
  went = NEVER

  constructor({ key, side }: KeyCut, newest: number, node: Node | undefined, came: number) {
    this.key = key
    this.side = side
    this.newest = newest
    this.node = node
    this.came = came
  }
}

/** On the way down from the root: `piece` is in `node`, and leads on. */
interface Step {
  readonly node: Node
  readonly piece: Piece
}

/** The leaf of now that a cut is in, or that begins with it. */
interface Leaf {
  readonly path: Step[]
  readonly node: Node
  /** How many of its pieces begin at or before the cut. */
  readonly begun: number
  /** Where the leaf after it begins. */
  readonly limit: KeyCut
}

export class CoverHistory {
  readonly #order: KeyOrder
  /** Ascending by the count from which on each is the root. */
  readonly #roots: { readonly node: Node; readonly came: number }[]
  #root: Node
  #count = 0

  constructor(order: KeyOrder) {
    this.#order = order
    this.#root = [new Piece(BEFORE_ALL, 0, undefined, 0)]
    this.#roots = [{ node: this.#root, came: 0 }]
  }

  /** Tombstones it knows. */
  get count(): number {
    return this.#count
  }

  /** Adds one that is newer than all others. @param lower kept, like `upper`: what nobody changes */
  add(lower: KeyCut, upper: KeyCut): void {
    this.#count++
    const leaf = this.#leafOf(lower)
    if (compareCuts(this.#order, upper, leaf.limit) <= 0) this.#addToLeaf(leaf, lower, upper)
    else this.#addToTree(lower, upper)
  }

  /**
   * The newest of the first `count` tombstones that covers `key[start…limit)`, counted from 1; 0: none does.
   *
   * @param into holds the key; narrowed to where the answer stays the same
   */
  newest(key: Uint8Array, start: number, limit: number, count: number, into: RangeStretch | undefined): number {
    let node = this.#rootAt(count)
    let upper: KeyCut = AFTER_ALL
    for (;;) {
      const index = lastCutBefore(node, this.#order, key, start, limit)
      const piece = node[indexUpTo(node, index, count)] as Piece
      if (into !== undefined) upper = node[indexAfter(node, index, count)] ?? upper
      if (piece.node !== undefined) {
        node = piece.node
        continue
      }
      if (into !== undefined) {
        raiseLower(into, this.#order, piece)
        reduceUpper(into, this.#order, upper)
      }
      return piece.newest
    }
  }

  #rootAt(count: number): Node {
    const roots = this.#roots
    let index = roots.length - 1
    // Most reads see all tombstones.
    if ((roots[index] as { came: number }).came > count) {
      let low = 0
      while (low < index) {
        const middle = (low + index + 1) >>> 1
        if ((roots[middle] as { came: number }).came <= count) low = middle
        else index = middle - 1
      }
    }
    return (roots[index] as { node: Node }).node
  }

  #leafOf(cut: KeyCut): Leaf {
    const path: Step[] = []
    let limit: KeyCut = AFTER_ALL
    let node = this.#root
    for (;;) {
      const begun = this.#countTo(node, cut)
      const piece = node[indexUpTo(node, begun - 1, this.#count)] as Piece
      if (piece.node === undefined) return { path, node, begun, limit }
      limit = node[indexAfter(node, begun - 1, this.#count)] ?? limit
      path.push({ node, piece })
      node = piece.node
    }
  }

  /** Most ranges are small, and begin and end in one leaf. */
  #addToLeaf({ path, node, begun, limit }: Leaf, lower: KeyCut, upper: KeyCut): void {
    const count = this.#count
    const order = this.#order
    const end = this.#countTo(node, upper)
    const first = node[indexUpTo(node, begun - 1, count)] as Piece
    const last = node[indexUpTo(node, end - 1, count)] as Piece
    const isCut = compareCuts(order, last, upper) === 0
    const isWhole = isCut || compareCuts(order, upper, limit) === 0
    if (compareCuts(order, first, lower) === 0) first.went = count
    for (let index = begun; index < end; index++) {
      const piece = node[index] as Piece
      if (isThere(piece, count) && !(isCut && piece === last)) piece.went = count
    }
    if (!isWhole) node.splice(end, 0, new Piece(upper, last.newest, undefined, count))
    node.splice(begun, 0, new Piece(lower, count, undefined, count))
    this.#renewFull(path, node)
  }

  #addToTree(lower: KeyCut, upper: KeyCut): void {
    if (upper.side !== 2) this.#cutAt(upper)
    const begin: KeyCut[] = [lower]
    this.#clear(this.#root, AFTER_ALL, lower, upper, begin)
    for (const cut of begin) this.#cover(cut)
  }

  /** Makes a piece begin at a cut, and changes nothing. */
  #cutAt(cut: KeyCut): void {
    const { path, node, begun } = this.#leafOf(cut)
    const last = node[indexUpTo(node, begun - 1, this.#count)] as Piece
    if (compareCuts(this.#order, last, cut) === 0) return
    node.splice(begun, 0, new Piece(cut, last.newest, undefined, this.#count))
    this.#renewFull(path, node)
  }

  /** The newest tombstone covers what begins at a cut. */
  #cover(cut: KeyCut): void {
    const { path, node, begun } = this.#leafOf(cut)
    const last = node[indexUpTo(node, begun - 1, this.#count)] as Piece
    if (compareCuts(this.#order, last, cut) === 0) last.went = this.#count
    node.splice(begun, 0, new Piece(cut, this.#count, undefined, this.#count))
    this.#renewFull(path, node)
  }

  /**
   * Lets go what begins between two cuts, but for the piece that a node begins with where the node stays: where those
   * begin is put into `begin`.
   *
   * @param limit where the node ends
   */
  #clear(node: Node, limit: KeyCut, lower: KeyCut, upper: KeyCut, begin: KeyCut[]): void {
    const count = this.#count
    const start = this.#countTo(node, lower)
    const reach = this.#countTo(node, upper)
    if (reach === 0) return
    const last = indexUpTo(node, reach - 1, count)
    const end = compareCuts(this.#order, node[last] as Piece, upper) === 0 ? last : reach
    const isWhole = compareCuts(this.#order, limit, upper) <= 0
    // Where the node begins after `lower`, its first piece stays: there is one before any key that comes to the node.
    let stays = start === 0
    for (let index = stays ? indexAfter(node, -1, count) : indexUpTo(node, start - 1, count); index < end;) {
      const piece = node[index] as Piece
      const next = indexAfter(node, index, count)
      const goes = index >= start && !stays
      stays = false
      if (piece.node === undefined) {
        if (goes) piece.went = count
        else if (index >= start) begin.push(piece)
      } else if (goes && (next < node.length ? next < reach : isWhole)) piece.went = count
      else this.#clear(piece.node, node[next] ?? limit, lower, upper, begin)
      index = next
    }
  }

  /** Lets a node go that has become full, and what it had go on; and those above it, where that makes them full. */
  #renewFull(path: Step[], full: Node): void {
    const count = this.#count
    for (let node = full; node.length > NODE_PIECES_MAX;) {
      const left = node.filter((piece) => isThere(piece, count))
      const half = left.length > NODE_PIECES_KEPT ? left.length >>> 1 : left.length
      const nodes = half < left.length ? [left.slice(0, half), left.slice(half)] : [left]
      const step = path.pop()
      if (step === undefined) {
        this.#root = nodes.length === 1 ? left : nodes.map((each) => this.#over(each))
        this.#roots.push({ node: this.#root, came: count })
        return
      }
      step.piece.went = count
      node = step.node
      for (const each of nodes) {
        const piece = this.#over(each)
        node.splice(this.#countTo(node, piece), 0, piece)
      }
    }
  }

  #over(node: Node): Piece {
    const first = node[0]
    assert(first !== undefined, 'a node has a piece where it begins')
    return new Piece(first, 0, node, this.#count)
  }

  /** How many of `node` begin at or before a cut. */
  #countTo(node: Node, cut: KeyCut): number {
    const order = this.#order
    const { key, side } = cut
    let low = 0
    let high = node.length
    while (low < high) {
      const middle = (low + high) >>> 1
      const piece = node[middle] as Piece
      // No piece is after all keys. What most cuts are, at a key, is compared without asking for more.
      let comparison = -1
      if (side === -2 || side === 2 || piece.side === -2) comparison = compareCuts(order, piece, cut)
      else comparison = order.compare(piece.key, 0, piece.key.length, key, 0, key.length) || piece.side - side
      if (comparison <= 0) low = middle + 1
      else high = middle
    }
    return low
  }
}

function isThere({ came, went }: Piece, count: number): boolean {
  return came <= count && count < went
}

/** Index of the last piece up to `index` that is there; every node has one where it begins. */
function indexUpTo(node: Node, index: number, count: number): number {
  while (!isThere(node[index] as Piece, count)) index--
  return index
}

/** Index of the next piece after `index` that is there; as many as there are where none is. */
function indexAfter(node: Node, index: number, count: number): number {
  do index++
  while (index < node.length && !isThere(node[index] as Piece, count))
  return index
}
