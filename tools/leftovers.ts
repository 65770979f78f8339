/** What must not stay behind in a file: notes to oneself, paths of one machine, addresses of registries, dead references. */

import type { SourceFile } from './syntax.ts'

const MARKS = /\b(?:TODO|FIXME|XXX|HACK)\b/
const MACHINE_PATH = /(?<![\w.~*-])\/(?:work|root|tmp|home)\//
const REGISTRY = /\bregistry\.[a-z0-9-]+\.|^\s*(?:@[\w-]+:)?registry\s*=|"resolved":\s*"http/
const CITED = /(?<![\w./-])(?:docs|bench|tools|examples|test)\/[\w./-]*[\w-]\.(?:md|json|ts|mjs)\b/g

/** Marks in comments of code. */
export function leftoverMarks(source: SourceFile): readonly string[] {
  return source.comments
    .filter(({ value }) => MARKS.test(value))
    .map(({ value }) => `${source.path}: leftover mark in the comment '${value.trim()}'; do it, or open an issue`)
}

/** Marks in prose and scripts. */
export function leftoverMarksInText(path: string, text: string): readonly string[] {
  return linesMatching(text, MARKS).map((line) => `${path}:${line}: leftover mark; do it, or open an issue`)
}

export function machinePaths(path: string, text: string): readonly string[] {
  return linesMatching(text, MACHINE_PATH).map(
    (line) => `${path}:${line}: a path of one machine; ask os.tmpdir(), or stay relative`,
  )
}

export function registryHosts(path: string, text: string): readonly string[] {
  return linesMatching(text, REGISTRY).map(
    (line) => `${path}:${line}: the address of a registry; that is the reader's configuration`,
  )
}

/** Files of the repository that comments or prose name, such as docs/… or bench/…, and that are not there. */
export function deadCitations(path: string, text: string, files: ReadonlySet<string>): readonly string[] {
  return [...text.matchAll(CITED)]
    .map(([cited]) => cited)
    .filter((cited) => !files.has(cited))
    .map((cited) => `${path} names ${cited}, which does not exist`)
}

/** Numbers of the lines that match, from 1. */
function linesMatching(text: string, pattern: RegExp): readonly number[] {
  return text.split('\n').flatMap((line, index) => (pattern.test(line) ? [index + 1] : []))
}
