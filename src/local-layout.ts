/**
 * What is where in the directory of a database, served ones too. Never changes: every directory there is has it.
 *
 *      <directory>/lock       who has it open
 *      <directory>/heads/     the heads, one for each shard
 *      <directory>/journal/   segments, by shard
 *      <directory>/files/     tables and manifests
 *      <directory>/reserve    space set aside for the day the disk is full
 */

import { LOCK_NAME } from './fs/directory-lock.ts'
import { RESERVE_NAME } from './fs/local-reserve.ts'
import { shardId } from './kernel/ids.ts'

export const HEADS = 'heads'
export const JOURNAL = 'journal'
export const FILES = 'files'

/** Where there is none of these, no shard has been. */
export const SHARD_FOLDERS: readonly string[] = Object.freeze([HEADS, JOURNAL, FILES])
/** Whatever else is there is somebody else's. */
export const OWN_NAMES: ReadonlySet<string> = new Set([...SHARD_FOLDERS, LOCK_NAME, RESERVE_NAME])

/** The shard of a directory that nobody has composed otherwise. */
export const MAIN_SHARD = shardId('main')
