/** Keys for people: text where it is text, escapes where it is not, and short. */

const decoder = new TextDecoder('utf-8', { fatal: true })

// ASCII, and the alphabets that have one column a character: what else there is could break a drawing.
const PLAIN = /^[\u0020-\u007e\u00a1-\u00ac\u00ae-\u02ff\u0370-\u0373\u0386-\u0481\u048a-\u0556]$/u

/** UTF-8 as it reads, with `\u{…}` for what has no certain width; other bytes as `0x…`; `''` for the empty key. */
export function showKey(key: Uint8Array): string {
  if (key.length === 0) return "''"
  let text: string
  try {
    text = decoder.decode(key)
  } catch {
    return `0x${Buffer.from(key).toString('hex')}`
  }
  let shown = ''
  for (const character of text) {
    const code = character.codePointAt(0) ?? 0
    shown += PLAIN.test(character) ? character : `\\u{${code.toString(16)}}`
  }
  return shown
}

/** At most `width` characters: both ends stay, since keys begin alike and paths end with what matters. */
export function shorten(text: string, width: number): string {
  if (text.length <= width) return text
  if (width < 2) return text.slice(0, Math.max(0, width))
  const front = Math.ceil((width - 1) / 2)
  return `${text.slice(0, front)}…${text.slice(text.length - (width - 1 - front))}`
}
