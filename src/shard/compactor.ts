/**
 * The compaction loop: asks the engine's policy what to do on the current version, and does it.
 *
 * Inputs of running jobs are off limits for the policy. A move is a commit and nothing else; a rewrite is a job and a
 * commit. After a job that fails there is a pause that doubles; its inputs are untouched, and it is asked for again when
 * whatever else there is to do has had its turn.
 */

import type { Clock } from '../kernel/clock.ts'
import { assert } from '../kernel/assert.ts'
import { VarveError, isCode } from '../kernel/errors.ts'
import type { FileName } from '../kernel/ids.ts'
import { namesOf } from './change-edit.ts'
import { BackOff } from './back-off.ts'
import { unaborted } from './closed.ts'
import type { Change, Rewrite, Underway, VersionFile } from './shard.ts'

/** What the loop needs of the shard around it. */
export interface CompactionHost {
  choose(underway: Underway): readonly Change[]
  rewriteFiles(change: Rewrite): Promise<readonly VersionFile[]>
  commitChange(change: Change, added: readonly VersionFile[]): Promise<void>
  /** A change has failed and will be tried again later: who waits for compaction hears now, from `stalledBy`, why. */
  stalled(error: unknown): void
  /** The shard can take no more commits. */
  failed(error: VarveError): void
}

export class Compactor {
  readonly #host: CompactionHost
  readonly #concurrencyMax: number
  readonly #backOff: BackOff
  readonly #running = new Set<Promise<void>>()
  readonly #inputs = new Set<FileName>()
  readonly #changes = new Set<Change>()
  /** Changes that have failed since one succeeded, or all had been tried. */
  readonly #failed = new Set<string>()
  /** Changes asked for by callers of `apply` that wait for others to end. */
  #blocked = 0
  #pausing: Promise<void> | undefined
  #stopped = false
  /** Why no commit will ever succeed again. */
  #final: VarveError | undefined
  /** Why there is a pause before the next attempt. */
  stalledBy: Error | undefined

  constructor(host: CompactionHost, clock: Clock, concurrencyMax: number, retryDelayMs: number) {
    this.#host = host
    this.#concurrencyMax = concurrencyMax
    this.#backOff = new BackOff(clock, retryDelayMs)
  }

  /** Looks for work. Call after every change of the version. */
  kick(): void {
    if (this.#stopped || this.#pausing !== undefined || this.#blocked > 0) return
    while (this.#running.size < this.#concurrencyMax) {
      const change = this.#next(this.#host.choose(this.#underway).filter((candidate) => this.#free(candidate)))
      if (change === undefined) return
      this.#start(change)
    }
  }

  /**
   * Runs what `choose` says, once. It is asked again, on what has become of the version, while running jobs are in the
   * way; no others begin meanwhile, or its turn might never come.
   */
  async apply(choose: (underway: Underway) => Change | 'blocked' | undefined): Promise<void> {
    let work: Promise<void> | undefined
    this.#blocked++
    try {
      for (;;) {
        if (this.#stopped) throw this.#final ?? new VarveError('CLOSED', 'the shard is closing')
        const change = choose(this.#underway)
        if (change !== 'blocked') {
          // Begins in the turn in which it was chosen: nothing gets in between.
          work = change === undefined ? undefined : this.#perform(change)
          break
        }
        assert(this.#running.size > 0, 'a change is blocked, but nothing runs')
        await Promise.race(this.#running)
      }
    } finally {
      this.#blocked--
      this.kick()
    }
    try {
      await work
    } catch (error) {
      this.#failIfFinal(error)
      throw unaborted(error)
    } finally {
      // Failed or not, it was in the way of what the policy wants, for which writes may be waiting.
      this.kick()
    }
  }

  /**
   * Resolves when the policy asks for nothing more and nothing runs. What runs is waited for: of an attempt that is under
   * way, the one before says nothing.
   *
   * @throws what the last attempt threw, where there is a pause before the next one
   */
  async settle(): Promise<void> {
    for (;;) {
      this.kick()
      if (this.#final !== undefined) throw this.#final
      if (this.#running.size === 0) {
        if (this.stalledBy !== undefined) throw this.stalledBy
        // What there was to do is left to the next owner.
        if (this.#stopped) throw new VarveError('CLOSED', 'the shard is closing')
        return
      }
      await Promise.race(this.#running)
    }
  }

  /** Does not wait any longer before another attempt. */
  retryNow(): void {
    this.#backOff.cancel()
    this.kick()
  }

  /** As `retryNow`, and of what failed before nothing is said any more. */
  renew(): void {
    this.#backOff.renew()
    this.kick()
  }

  /** Why no change has succeeded for `ms` milliseconds, where one was tried. */
  failingFor(ms: number): Error | undefined {
    return this.#backOff.failingFor(ms)
  }

  /** Starts nothing more; resolves when nothing runs. */
  async stop(): Promise<void> {
    this.#stopped = true
    this.#backOff.cancel()
    while (this.#running.size > 0) await Promise.race(this.#running)
  }

  get #underway(): Underway {
    return { running: this.#inputs, changes: [...this.#changes] }
  }

  #free(change: Change): boolean {
    return namesOf(change).every((name) => !this.#inputs.has(name))
  }

  /** The most urgent one that has not failed of late: what cannot be done must not keep what can from being tried. */
  #next(changes: readonly Change[]): Change | undefined {
    const untried = changes.find((change) => !this.#failed.has(keyOf(change)))
    if (untried === undefined) this.#failed.clear()
    return untried ?? changes[0]
  }

  #start(change: Change): void {
    void this.#perform(change).then(
      () => {
        this.#failed.clear()
        this.#backOff.succeeded()
        this.kick()
      },
      (error: unknown) => {
        if (this.#stopped) return
        this.#failed.add(keyOf(change))
        if (!this.#failIfFinal(error)) this.#pause(error as Error)
        this.#host.stalled(error)
      },
    )
  }

  /** True where no commit will ever succeed again; the shard hears of it. */
  #failIfFinal(error: unknown): boolean {
    if (!isCode(error, 'FENCED', 'OUTCOME_UNKNOWN', 'POISONED', 'CLOSED')) return false
    if (!this.#stopped) {
      this.#stopped = true
      this.#final = error
      this.#host.failed(error)
    }
    return true
  }

  #pause(reason: Error): void {
    this.stalledBy = reason
    this.#pausing ??= this.#backOff.failed(reason).then(() => {
      this.#pausing = undefined
      this.stalledBy = undefined
      this.kick()
    })
  }

  async #perform(change: Change): Promise<void> {
    const names = namesOf(change)
    for (const name of names) this.#inputs.add(name)
    this.#changes.add(change)
    const work = this.#execute(change).finally(() => {
      for (const name of names) this.#inputs.delete(name)
      this.#changes.delete(change)
    })
    const settled = work.catch(() => undefined)
    this.#running.add(settled)
    void settled.then(() => this.#running.delete(settled))
    await work
  }

  async #execute(change: Change): Promise<void> {
    const added = change.type === 'rewrite' ? await this.#host.rewriteFiles(change) : []
    await this.#host.commitChange(change, added)
  }
}

function keyOf(change: Change): string {
  return namesOf(change).join(' ')
}
