/** Uses of the platform outside the files named for them: the rules of banned.json, applied to one file. */

import { isTest, readJson } from './repository.ts'
import type { SourceFile } from './syntax.ts'
import { usesOf } from './uses.ts'

export interface BannedRule {
  /** As `usesOf` names them. */
  readonly names: readonly string[]
  /** What to do instead, as an imperative clause. */
  readonly instead: string
  /** File, or folder with a slash at its end → reason. */
  readonly allowed: Readonly<Record<string, string>>
  /** Holds in tests too. */
  readonly tests?: boolean
}

export function readBannedRules(): readonly BannedRule[] {
  return (readJson('tools/banned.json') as { readonly rules: readonly BannedRule[] }).rules
}

export function bannedUses(source: SourceFile, rules: readonly BannedRule[]): readonly string[] {
  const testing = isTest(source.path)
  const problems = new Set<string>()
  for (const { name, line } of usesOf(source)) {
    const rule = rules.find((candidate) => candidate.names.includes(name) && (!testing || candidate.tests === true))
    if (rule === undefined || Object.keys(rule.allowed).some((allowed) => covers(allowed, source.path))) continue
    problems.add(`${source.path}:${line}: ${name} is not for this file; ${rule.instead}`)
  }
  return [...problems]
}

export function covers(allowed: string, path: string): boolean {
  return allowed.endsWith('/') ? path.startsWith(allowed) : path === allowed
}
