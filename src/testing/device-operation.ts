/** One call of a simulated device, as records, faults and traces see it. */

/** What a fault or a record can tell apart. */
export type OperationName =
  | 'open'
  | 'read'
  | 'write'
  | 'sync'
  | 'truncate'
  | 'list'
  | 'stat'
  | 'link'
  | 'rename'
  | 'unlink'
  | 'syncDirectory'
  | 'makeDirectory'
  | 'space'

/** One call of a device. */
export interface DeviceOperation {
  /** Which. */
  readonly operation: OperationName
  /** Of the file or directory; of `link` and `rename` the name that is made. */
  readonly path: string
  /** Where a transfer begins, in bytes; else 0. */
  readonly position: number
  /** Length of a transfer, or what a truncation leaves; else 0. */
  readonly bytes: number
  /** What a write brings, lent for the call. */
  readonly parts?: readonly Uint8Array[]
}
