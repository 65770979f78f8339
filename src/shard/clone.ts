/**
 * Clones: a second shard in the same stores that refers to the same files, which pins keep.
 *
 *      pins          on the files: a head that refers to files nobody keeps must never exist
 *      head          of the clone, `forming`: nobody can open it
 *      pins again    of this shard by a commit of its owner, which proves that nobody has taken it over since
 *      ── the head is not forming any more ──       the one commit
 *
 * An owner that slept through a takeover in the middle of it cannot commit, and the clone is void: the next owner has let
 * go of the pin, and perhaps of the files. What the next owner comes across first it makes void itself.
 */

import { VarveError } from '../kernel/errors.ts'
import { EPOCH_ZERO } from '../kernel/ids.ts'
import type { ShardId } from '../kernel/ids.ts'
import { requireAbsent, writeHead } from './checkpoint.ts'
import type { Origin } from './checkpoint.ts'
import type { Committer } from './committer.ts'
import { byOwner } from './file-names.ts'
import { changePin, clonePin, withFiles, withoutFiles, withPin } from './pins.ts'
import { decide, giveUp } from './succession.ts'

/**
 * Makes `clone` of what `origin` holds, where it is.
 *
 * @throws {VarveError} EXISTS; BUSY — the origin is being split or merged; FENCED — another process has it; OUTCOME_UNKNOWN —
 *   the clone may be there or not
 */
export async function writeClone(origin: Origin, committer: Committer, clone: ShardId): Promise<void> {
  const { shard, place } = origin
  await requireAbsent(place, clone)
  const pins = new ClonePins(origin, committer, clone)
  await pins.keepOwn()
  await pins.keepOthers()
  await writeHead(origin, place, clone, EPOCH_ZERO, { state: 'forming', lead: clone, parents: [shard] })
  let kept = false
  try {
    // An owner that opened one of the others in between took the pin, which had no head yet, for one left behind.
    await pins.keepOthers()
    await pins.keepOwn()
    kept = true
    if ((await decide(place.heads, clone, 'commit')) === 'void')
      throw new VarveError('FENCED', `another process opened shard ${shard} while it was being cloned`)
  } catch (error) {
    const given = await giveUp(place.heads, clone)
    // Only the answer was lost. Where nothing is kept it is another owner's, who has made the same.
    if (given === 'committed' && kept) return
    if (given === 'unknown' && kept) {
      throw new VarveError('OUTCOME_UNKNOWN', `whether ${shard} was cloned as ${clone} is not known`, {
        cause: error,
        details: { operation: 'clone' },
      })
    }
    // The name is used up: nobody else can need what is pinned under it.
    if (given === 'void') await pins.drop().catch(() => undefined)
    throw error
  }
}

class ClonePins {
  readonly #origin: Origin
  readonly #committer: Committer
  readonly #name: string

  constructor(origin: Origin, committer: Committer, clone: ShardId) {
    this.#origin = origin
    this.#committer = committer
    this.#name = clonePin(clone)
  }

  async keepOwn(): Promise<void> {
    const own = this.#owned.get(this.#origin.shard) ?? []
    await this.#committer.commit(({ succession }) => {
      // Once others have replaced it nobody owns it, and what was pinned without a head may have gone.
      if (succession !== undefined) throw new VarveError('BUSY', 'the shard is being handed over')
      return { changePins: (pins) => withPin(pins, this.#name, withFiles(own)) }
    })
  }

  async keepOthers(): Promise<void> {
    const { shard, place } = this.#origin
    for (const [owner, files] of this.#owned)
      if (owner !== shard) await changePin(place.heads, owner, this.#name, withFiles(files))
  }

  async drop(): Promise<void> {
    const { shard, place } = this.#origin
    for (const owner of this.#owned.keys())
      if (owner !== shard) await changePin(place.heads, owner, this.#name, withoutFiles)
    await this.#committer.commit(() => ({ changePins: (pins) => withPin(pins, this.#name, withoutFiles) }))
  }

  get #owned(): ReturnType<typeof byOwner> {
    return byOwner([...this.#origin.manifest.files.keys()])
  }
}
