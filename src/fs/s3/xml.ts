/** As much XML as answers of S3 have: elements without attributes that matter, and five entities. */

/** The content of every element called `name`, in order; of nested ones of the same name only the outer begin. */
export function elements(xml: string, name: string): string[] {
  const found: string[] = []
  const opening = new RegExp(`<${name}(?:\\s[^>]*)?>`, 'g')
  const closing = `</${name}>`
  for (let match = opening.exec(xml); match !== null; match = opening.exec(xml)) {
    const start = match.index + match[0].length
    const limit = xml.indexOf(closing, start)
    if (limit < 0) break
    found.push(xml.slice(start, limit))
    opening.lastIndex = limit + closing.length
  }
  return found
}

/** The text of the first element called `name`, or undefined. */
export function elementText(xml: string, name: string): string | undefined {
  const [content] = elements(xml, name)
  return content === undefined ? undefined : unescape(content)
}

export function escapeText(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;')
}

const ENTITIES: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" }

function unescape(text: string): string {
  return text.replaceAll(/&(?:(amp|lt|gt|quot|apos)|#(\d{1,7})|#x([\da-fA-F]{1,6}));/g, (whole: string, ...groups) => {
    const [name, decimal, hex] = groups as (string | undefined)[]
    if (name !== undefined) return ENTITIES[name] ?? whole
    const code = decimal === undefined ? parseInt(hex ?? '', 16) : Number(decimal)
    return code <= 0x10ffff ? String.fromCodePoint(code) : whole
  })
}
