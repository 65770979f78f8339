/** Texts that the durability tests write as values and find again in what reaches the disk. */

const PATTERN = /<synced [0-9]+>/g

export function markerOf(number: number): string {
  return `<synced ${number}>`
}

export function markersIn(text: string): string[] {
  return text.match(PATTERN) ?? []
}
