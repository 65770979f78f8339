/** Names of a shard's files, from which it can be told whose they are (docs/formats/head.md, "File names"). */

import { hashKey } from '../kernel/hash.ts'
import { fileName, shardId } from '../kernel/ids.ts'
import type { Epoch, FileName, ShardId } from '../kernel/ids.ts'

/** Who makes files, as its head has it. */
export interface FileMaker {
  readonly epoch: Epoch
  /** Its nonce: databases made by the same recipe differ in nothing else. */
  readonly owner: string
}

/** What the names of all outputs of job `number` of `maker` begin with, whatever the attempt; its id, too. */
export function jobName(shard: ShardId, maker: FileMaker, number: number): string {
  return `${shard}.${tagOf(maker)}-j${number}`
}

/** @param number an owner's own begin with 1; 0 is for who makes the head of a shard that has no owner yet */
export function manifestName(shard: ShardId, maker: FileMaker, number: number): FileName {
  return fileName(`${shard}.${tagOf(maker)}-m${number}.manifest`)
}

/** The shard whose file this is: it deletes it, nobody else. */
export function ownerOf(file: FileName): ShardId {
  return shardId(writerOf(file))
}

/** As `ownerOf`, of a file that may be nobody's: no shard may be called so. */
export function writerOf(file: FileName): string {
  return file.slice(0, file.indexOf('.'))
}

/** `files` by the shard they belong to. */
export function byOwner(files: readonly FileName[]): ReadonlyMap<ShardId, readonly FileName[]> {
  const owners = new Map<ShardId, FileName[]>()
  for (const file of files) {
    const owner = ownerOf(file)
    const owned = owners.get(owner)
    if (owned === undefined) owners.set(owner, [file])
    else owned.push(file)
  }
  return owners
}

/** The epoch of the owner of `shard` that made `file`; where its name has none, infinity: it is not ours to judge. */
export function epochOf(file: FileName, shard: ShardId): number {
  const match = /^e([0-9]+)-/.exec(file.slice(shard.length + 1))
  return match === null ? Infinity : Number(match[1])
}

/** Names seed checksums: with the owner in them, no file of another database verifies as one of ours. */
function tagOf({ epoch, owner }: FileMaker): string {
  const bytes = new TextEncoder().encode(owner)
  return `e${epoch}-${hashKey(bytes, 0, bytes.length, OWNER_SEED).toString(16).padStart(8, '0')}`
}

// Any constant does.
const OWNER_SEED = 0x6e61_6d65
