/** A range that is read by several requests, because one may only ask for so much. */

/** Bytes [offset, offset + length), by reads of at most `pieceBytes` at the same time. */
export async function readInPieces(
  offset: number,
  length: number,
  pieceBytes: number,
  read: (offset: number, length: number) => Promise<Uint8Array>,
): Promise<Uint8Array> {
  if (length <= pieceBytes) return read(offset, length)
  const whole = new Uint8Array(length)
  const pieces: Promise<void>[] = []
  for (let start = 0; start < length; start += pieceBytes) {
    const size = Math.min(pieceBytes, length - start)
    pieces.push(read(offset + start, size).then((piece) => whole.set(piece, start)))
  }
  await Promise.all(pieces)
  return whole
}
