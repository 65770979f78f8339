/**
 * How the key of an entry is made of what a record has:
 *
 *      {file}/{timestamp}     names in braces stand for fields; {{ and }} are braces
 *
 * Besides the fields there are `file` (the name of the input without directories and extension), `path` (as it was given)
 * and `line` (where the record begins). A field of the same name comes first.
 */

import { UsageError } from '../usage-error.ts'

export type TemplatePart = { readonly text: string } | { readonly field: string }

/** What a template may use besides fields. */
export interface SourceNames {
  readonly file: string
  readonly path: string
}

/** @param option names it in errors @throws {UsageError} a brace that does not belong to a pair */
export function parseTemplate(template: string, option: string): readonly TemplatePart[] {
  const parts: TemplatePart[] = []
  const token = /\{\{|\}\}|\{([^{}]+)\}|[^{}]+|[{}]/g
  for (const [text, field] of template.matchAll(token)) {
    if (field !== undefined) parts.push({ field })
    else if (text === '{' || text === '}') {
      throw new UsageError(
        `--${option} '${template}' has a single '${text}': write {NAME} for a field, {{ or }} for a brace`,
      )
    } else parts.push({ text: text === '{{' ? '{' : text === '}}' ? '}' : text })
  }
  return parts
}

/** Fields that `parts` need of a record, given those that it `has`; every one is then among them. */
export function fieldsOf(parts: readonly TemplatePart[], has: (field: string) => boolean): readonly string[] {
  return parts.flatMap((part) => ('field' in part && (has(part.field) || !isBuiltIn(part.field)) ? [part.field] : []))
}

export function isBuiltIn(field: string): boolean {
  return field === 'file' || field === 'path' || field === 'line'
}

/**
 * @param lookUp the text of a field, or undefined where the record has none
 * @returns undefined where a field is neither of the record nor built in
 */
export function fillTemplate(
  parts: readonly TemplatePart[],
  names: SourceNames,
  line: number,
  lookUp: (field: string) => string | undefined,
): string | undefined {
  let filled = ''
  for (const part of parts) {
    const text = 'text' in part ? part.text : (lookUp(part.field) ?? builtIn(part.field, names, line))
    if (text === undefined) return undefined
    filled += text
  }
  return filled
}

function builtIn(field: string, names: SourceNames, line: number): string | undefined {
  if (field === 'line') return String(line)
  return field === 'file' || field === 'path' ? names[field] : undefined
}
