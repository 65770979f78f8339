/** The little of Markdown the checks need: titles, headings, links, fenced code. */

import { posix } from 'node:path'

export interface Fence {
  /** What follows the backticks, such as `ts run`. */
  readonly info: string
  readonly text: string
  /** Line of the opening backticks, from 1. */
  readonly line: number
}

export interface MarkdownFile {
  readonly path: string
  /** Level and text of every heading. */
  readonly headings: readonly { readonly level: number; readonly text: string }[]
  /** Targets of links and pictures, as written. */
  readonly links: readonly { readonly target: string; readonly line: number }[]
  readonly fences: readonly Fence[]
}

export function parseMarkdown(path: string, text: string): MarkdownFile {
  const headings: { level: number; text: string }[] = []
  const links: { target: string; line: number }[] = []
  const fences: Fence[] = []
  let open: { marker: string; info: string; line: number; lines: string[] } | undefined

  text.split('\n').forEach((content, index) => {
    const line = index + 1
    const fence = /^\s*(`{3,}|~{3,})\s*(.*)$/.exec(content)
    const marker = fence?.[1]
    if (open !== undefined) {
      if (marker !== undefined && marker.startsWith(open.marker) && fence?.[2] === '') {
        fences.push({ info: open.info, text: open.lines.join('\n') + '\n', line: open.line })
        open = undefined
      } else open.lines.push(content)
      return
    }
    if (marker !== undefined) {
      open = { marker, info: (fence?.[2] ?? '').trim(), line, lines: [] }
      return
    }
    const heading = /^(#{1,6})\s+(.+?)\s*#*$/.exec(content)
    if (heading !== null) headings.push({ level: (heading[1] ?? '').length, text: heading[2] ?? '' })
    const prose = content.replace(/`[^`]*`/g, '')
    for (const match of prose.matchAll(/\]\(\s*<?([^)>\s]+)>?[^)]*\)|^\s*\[[^\]]+\]:\s*(\S+)/g)) {
      links.push({ target: match[1] ?? match[2] ?? '', line })
    }
  })
  return { path, headings, links, fences }
}

/** The fragment that a heading has on a rendered page. */
export function slugOf(heading: string): string {
  return heading
    .replace(/\[([^\]]*)\]\([^)]*\)/g, '$1')
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\s_-]/gu, '')
    .trim()
    .replace(/\s/g, '-')
}

/** What is wrong with titles and relative links. `exists` also answers for folders. */
export function markdownProblems(files: readonly MarkdownFile[], exists: (path: string) => boolean): readonly string[] {
  const problems: string[] = []
  const slugs = new Map(files.map((file) => [file.path, new Set(file.headings.map(({ text }) => slugOf(text)))]))
  for (const file of files) {
    const titles = file.headings.filter(({ level }) => level === 1)
    if (titles.length !== 1) problems.push(`${file.path} has ${titles.length} titles ('# …'), and needs one`)
    for (const { target, line } of file.links) {
      if (/^[a-z][a-z0-9+.-]*:/i.test(target)) continue
      const [relative = '', fragment] = target.split('#', 2)
      const path =
        relative === ''
          ? file.path
          : posix.join(posix.dirname(file.path), decodeURIComponent(relative)).replace(/\/$/, '')
      if (!exists(path)) problems.push(`${file.path}:${line}: the link to ${target} leads nowhere`)
      else if (fragment !== undefined && slugs.has(path) && !slugs.get(path)?.has(fragment)) {
        problems.push(`${file.path}:${line}: ${path} has no heading #${fragment}`)
      }
    }
  }
  return problems
}
