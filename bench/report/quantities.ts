/** Figures as people read them. */

export function median(numbers: readonly number[]): number {
  const sorted = [...numbers].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1
    ? (sorted[middle] as number)
    : ((sorted[middle - 1] as number) + (sorted[middle] as number)) / 2
}

/** 1234567 → 1.23M, 96123 → 96.1k. */
export function short(value: number): string {
  if (value >= 999_500) return `${digits(value / 1e6)}M`
  if (value >= 999.5) return `${digits(value / 1e3)}k`
  return digits(value)
}

export function bytes(value: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB']
  let unit = 0
  let scaled = value
  for (; scaled >= 1024 && unit < units.length - 1; unit++) scaled /= 1024
  return `${unit === 0 ? scaled : digits(scaled)} ${units[unit]}`
}

/** 2.345 → 2.35×, 0.5 → 0.50×, 12.3 → 12.3×. */
export function ratio(value: number): string {
  return `${value < 10 ? value.toFixed(2) : value.toFixed(value < 100 ? 1 : 0)}×`
}

function digits(value: number): string {
  return value < 10 ? value.toFixed(2) : value < 100 ? value.toFixed(1) : value.toFixed(0)
}
