/**
 * Numbers for people. Units are decimal: 1 MB is 1,000,000 bytes, as disks and networks count.
 *
 * Written out here rather than left to the system's locale, so that output is the same everywhere.
 */

/** 1234567 → 1,234,567. */
export function formatCount(value: number): string {
  return String(Math.round(value)).replace(/\B(?=(?:\d{3})+$)/g, ',')
}

const BYTE_UNITS = ['B', 'kB', 'MB', 'GB', 'TB', 'PB'] as const

/** Three digits or so: 999 B, 1.50 kB, 12.3 MB. */
export function formatBytes(bytes: number): string {
  let value = bytes
  let unit = 0
  // 999.5 would be printed as 1000.
  while (value >= 999.5 && unit < BYTE_UNITS.length - 1) {
    value /= 1000
    unit++
  }
  return `${unit === 0 ? String(value) : formatDigits(value)} ${BYTE_UNITS[unit]}`
}

/** About three digits, at most two decimals. */
function formatDigits(value: number): string {
  if (value >= 99.95) return value.toFixed(0)
  return value >= 9.995 ? value.toFixed(1) : value.toFixed(2)
}

/** Bytes in milliseconds, as MB/s. */
export function formatByteRate(bytes: number, durationMs: number): string {
  return durationMs > 0 ? `${formatDigits(bytes / 1e6 / (durationMs / 1000))} MB/s` : '–'
}

/** Things in milliseconds, per second. */
export function formatRate(count: number, durationMs: number): string {
  if (durationMs <= 0) return '–'
  const rate = count / (durationMs / 1000)
  return rate >= 100 ? `${formatCount(rate)}/s` : `${formatDigits(rate)}/s`
}

/** 850 ms, 12.3 s, 4 min 5 s. */
export function formatDuration(durationMs: number): string {
  if (durationMs < 999.5) return `${durationMs.toFixed(0)} ms`
  if (durationMs < 59_950) return `${formatDigits(durationMs / 1000)} s`
  const seconds = Math.round(durationMs / 1000)
  return `${Math.floor(seconds / 60)} min ${seconds % 60} s`
}

/** 1.27×; a dash where there is nothing to divide by. */
export function formatRatio(numerator: number, denominator: number): string {
  return denominator > 0 ? `${(numerator / denominator).toFixed(2)}×` : '–'
}

export function formatPercent(part: number, whole: number): string {
  return whole > 0 ? `${((100 * part) / whole).toFixed(1)} %` : '–'
}

/** `1 file`, `2 files`, `2 entries`; for other plurals, give them. */
export function formatNumberOf(count: number, singular: string, plural = pluralOf(singular)): string {
  return `${formatCount(count)} ${count === 1 ? singular : plural}`
}

function pluralOf(singular: string): string {
  return /[^aeiou]y$/.test(singular) ? `${singular.slice(0, -1)}ies` : `${singular}s`
}
