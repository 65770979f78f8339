/**
 * The names in a certificate, as Node writes them: `DNS:a.example, URI:spiffe://example/a, IP Address:10.0.0.1`.
 *
 * A value with a comma, a quote or anything else that would make the list ambiguous is a JSON string there (Node's answer to
 * CVE-2021-44532), so one name cannot pretend to be two.
 */

/** Of those that name somebody: an address is where he is, not who. */
const KINDS: ReadonlySet<string> = new Set(['DNS', 'URI'])

const NAME = /^([^:,"]+):("(?:[^"\\]|\\.)*"|[^,"]*)(?:, |$)/

/**
 * DNS names and URIs of the subjectAltName in their order, then the common name. A list that is not understood has no name.
 *
 * @param alternatives `subjectaltname` of a certificate @param common its `subject.CN`: a list, where there are several
 */
export function certifiedNames(alternatives: string | undefined, common: unknown): readonly string[] {
  const names = namesIn(alternatives ?? '')
  if (names === undefined) return []
  for (const name of Array.isArray(common) ? (common as unknown[]) : [common])
    if (typeof name === 'string' && !names.includes(name)) names.push(name)
  return names
}

function namesIn(list: string): string[] | undefined {
  const names: string[] = []
  for (let rest = list; rest !== '';) {
    const found = NAME.exec(rest)
    if (found === null) return undefined
    const [whole, kind = '', value = ''] = found
    if (KINDS.has(kind)) names.push(value.startsWith('"') ? (JSON.parse(value) as string) : value)
    rest = rest.slice(whole.length)
  }
  return names
}
