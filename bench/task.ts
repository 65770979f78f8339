/** What the harness tells the process of a peer, and what it hears from it. */

export interface Task {
  readonly peer: string
  /** A workload, or `prepare`: fills the directory with what read workloads expect. */
  readonly workload: string
  readonly directory: string
  /** Begin with a copy of this directory. */
  readonly copyFrom?: string
  /** Memory of the process, its share of the page cache included, which is emptied first. */
  readonly memoryBytes?: number
  readonly keys: number
  readonly valueBytes: number
  readonly cacheBytes: number
  /** Measured time after which a workload stops where it is. */
  readonly budgetMs: number
  /** Fingerprints look at every byte of every value. */
  readonly whole: boolean
}

export interface Outcome {
  readonly operations: number
  readonly elapsedMs: number
  /** Results that were read while measured, and what the store held afterwards: the same for every peer. */
  readonly digest: string
  /** The same by the model; a difference is an error. */
  readonly wanted: string
  /** Milliseconds, bytes and the like, by a name that ends in the unit. */
  readonly figures: Readonly<Record<string, number>>
  readonly settings: Readonly<Record<string, unknown>>
}

export type TaskEnd =
  | { readonly type: 'outcome'; readonly outcome: Outcome }
  /** The peer lacks what the workload needs, or cannot be loaded. */
  | { readonly type: 'unable'; readonly reason: string }
  | { readonly type: 'failed'; readonly reason: string }

/** The process of a peer answers its tasks in order, each with one end. */
export type Message =
  | { readonly type: 'progress'; readonly done: number; readonly operations: number }
  | { readonly type: 'end'; readonly end: TaskEnd }
