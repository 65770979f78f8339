/** Reading records from text, as a port: JSON lines and CSV. */

/** Takes an entry; key and value are the taker's. */
export type TakeEntry = (key: Buffer, value: Buffer, line: number) => void

export interface RecordReader {
  /** Line on which the next text begins, from 1. */
  readonly line: number
  /**
   * Reads the records that end in `text`, which goes on where the last one ended.
   *
   * @throws {RecordFault} a record cannot be read; those before it have been taken
   */
  read(text: string, take: TakeEntry): void
  /** Reads what is left: the input has ended. @throws {RecordFault} */
  end(take: TakeEntry): void
}
