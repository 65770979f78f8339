/** The tables of a report beside throughput: latency, storage, opening, limits of the machine. */

import { LIMITS } from '../measure/limits.ts'
import { LIMIT_PREFIX } from '../measure-limit.ts'
import { groupBy } from './groups.ts'
import { bytes, median, short } from './quantities.ts'
import type { Row } from './row.ts'
import { limitsOf } from './summary.ts'

export type Cells = readonly (readonly string[])[]

/** Median of a figure over the rows that have it. */
export function figureOf(rows: readonly Row[], name: string): number | undefined {
  const found = rows.map(({ figures }) => figures[name]).filter((figure) => figure !== undefined)
  return found.length === 0 ? undefined : median(found)
}

/** Quantiles in milliseconds, and how long the event loop was held more than beside workers that are merely busy. */
export function latencyCells(rows: readonly Row[]): Cells {
  const measured = rows.filter(({ workload, lacking }) => workload.startsWith('latency/') && lacking === undefined)
  if (measured.length === 0) return []
  const control = rows.filter(({ workload }) => workload === `${LIMIT_PREFIX}loop`)
  const columns = ['putP50Ms', 'putP99Ms', 'putP999Ms', 'putP9999Ms', 'getP50Ms', 'getP99Ms', 'getP999Ms', 'getP9999Ms']
  const titles = ['put p50', 'p99', 'p99.9', 'p99.99', 'get p50', 'p99', 'p99.9', 'p99.99']
  const head = ['workload', 'peer', 'offered/s', ...titles, 'loop p99', 'loop p99.9']
  const groups = groupBy(measured, ({ workload, peer }) => `${workload} ${peer}`)
  const body = [...groups.values()].map((group) => [
    group[0]?.workload ?? '',
    group[0]?.peer ?? '',
    short(figureOf(group, 'offeredPerSecond') ?? 0),
    ...columns.map((name) => ms(figureOf(group, name))),
    ...['loopP99Ms', 'loopP999Ms'].map((name) => over(figureOf(group, name), figureOf(control, name))),
  ])
  return [head, ...body]
}

/** What filling and compacting the prepared data cost. */
export function storageCells(rows: readonly Row[]): Cells {
  const prepared = rows.filter(({ workload, lacking, figures }) => {
    return workload === 'prepare' && lacking === undefined && figures['diskBytes'] !== undefined
  })
  if (prepared.length === 0) return []
  const head = [
    'data',
    'peer',
    'fill',
    'compact',
    'on disk',
    'to the data',
    'written',
    'to the data',
    'memory',
    'processor',
  ]
  return [head, ...prepared.map(storageRow)]
}

function storageRow({ shape, peer, perSecond, figures }: Row): readonly string[] {
  const { diskBytes = 0, writtenBytes = 0, memoryPeakBytes = 0, cpuMs = 0, compactMs = 0, dataBytes = 1 } = figures
  return [
    shape,
    peer,
    `${short(perSecond)}/s`,
    `${short(compactMs / 1000)} s`,
    bytes(diskBytes),
    (diskBytes / dataBytes).toFixed(2),
    bytes(writtenBytes),
    (writtenBytes / dataBytes).toFixed(2),
    bytes(memoryPeakBytes),
    `${short(cpuMs / 1000)} s`,
  ]
}

export function openingCells(rows: readonly Row[]): Cells {
  const measured = rows.filter(
    ({ workload, lacking }) => (workload === 'open' || workload === 'recover') && lacking === undefined,
  )
  if (measured.length === 0) return []
  const groups = groupBy(measured, ({ shape, peer }) => `${shape} ${peer}`)
  const body = [...groups.values()].map((group) => {
    const closed = group.filter(({ workload }) => workload === 'open')
    const killed = group.filter(({ workload }) => workload === 'recover')
    return [
      group[0]?.shape ?? '',
      group[0]?.peer ?? '',
      ms(figureOf(closed, 'openMs')),
      ms(figureOf(closed, 'firstGetMs')),
      bytesOr(figureOf(closed, 'memoryBytes')),
      ms(figureOf(killed, 'openMs')),
    ]
  })
  return [['data', 'peer', 'open, ms', 'first get, ms', 'memory', 'open after a kill, ms'], ...body]
}

export function limitCells(rows: readonly Row[]): Cells {
  const limits = limitsOf(rows)
  if (limits.size === 0) return []
  const body = LIMITS.filter(({ name }) => limits.has(name)).map(({ name, title, unit }) => [
    name,
    title,
    `${short(limits.get(name) ?? 0)} ${unit}`,
  ])
  return [['limit', 'what it is', 'median'], ...body]
}

function ms(value: number | undefined): string {
  return value === undefined ? '–' : value < 0.1 ? value.toFixed(3) : short(value)
}

function over(value: number | undefined, control: number | undefined): string {
  if (value === undefined) return '–'
  return control === undefined ? ms(value) : `${value < control ? '−' : '+'}${ms(Math.abs(value - control))}`
}

function bytesOr(value: number | undefined): string {
  return value === undefined ? '–' : bytes(value)
}
