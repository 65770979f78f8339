/**
 * What every settings object is held to: no name that nobody knows, and numbers that are numbers, in their range.
 *
 * A setting of the wrong kind is a TypeError, one out of range a RangeError; both name it.
 */

import { kindOf } from './kind-of.ts'
import { checkObject } from './option-names.ts'

/** Both ends are allowed. */
export type SettingRange = readonly [least: number, most: number]

/** A setting in milliseconds may be none, and an hour at most, where nothing else is said. */
export const DURATION_MS: SettingRange = [0, 3_600_000]

/** Without what is undefined: it counts as not given, and would stand in the way of a default. */
export function onlyGiven<Settings extends object>(input: Settings): Settings {
  return Object.fromEntries(Object.entries(input).filter(([, value]) => value !== undefined)) as Settings
}

/**
 * `input` over `defaults`.
 *
 * @param defaults every setting there is
 * @throws {TypeError} no object, or a name that `defaults` has not
 */
export function overDefaults<Settings extends object>(defaults: Settings, input: Partial<Settings>): Settings {
  checkObject('settings', input)
  const given = onlyGiven(input)
  for (const name of Object.keys(given)) {
    if (!Object.hasOwn(defaults, name)) throw unknownSetting(name, defaults)
  }
  return { ...defaults, ...given }
}

export function unknownSetting(name: string, known: object): TypeError {
  return new TypeError(`unknown setting ${name}: there are ${Object.keys(known).join(', ')}`)
}

/** @throws {TypeError} no number, or not whole; {RangeError} out of range */
export function checkInteger(name: string, value: unknown, range: SettingRange): void {
  if (Number.isFinite(value) && !Number.isInteger(value))
    throw new TypeError(`${name} must be an integer, got ${String(value)}`)
  checkNumber(name, value, range)
}

/** @throws {TypeError} no number; {RangeError} out of range */
export function checkNumber(name: string, value: unknown, [least, most]: SettingRange): asserts value is number {
  if (typeof value !== 'number' || Number.isNaN(value))
    throw new TypeError(`${name} must be a number, got ${kindOf(value)}`)
  if (value >= least && value <= most) return
  throw new RangeError(`${name} must be ${least}${most === Infinity ? ' or more' : `…${most}`}, got ${value}`)
}

/** `checkInteger` for each of `ranges`. */
export function checkIntegers<Name extends string>(
  settings: Readonly<Record<NoInfer<Name>, unknown>>,
  ranges: Readonly<Record<Name, SettingRange>>,
): void {
  for (const name of Object.keys(ranges) as Name[]) checkInteger(name, settings[name], ranges[name])
}
