/** Columns as editors count them: characters, not bytes and not units of UTF-16. */

/** Column of what is at `offset` in `line`, from 1. */
export function columnAt(line: string, offset: number): number {
  let column = 1
  for (let at = 0; at < offset; column++) at += (line.codePointAt(at) ?? 0) > 0xffff ? 2 : 1
  return column
}
