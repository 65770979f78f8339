/** The parameters of a call, for a service: from a peer that may have any version, or mean ill. */

/** Values by their positions, each of which is checked when it is asked for. */
export class Parameters {
  readonly #values: readonly unknown[]

  /** @param values as they came */
  constructor(values: readonly unknown[]) {
    this.#values = values
  }

  /** @throws {TypeError} */
  text(index: number): string {
    const value = this.#values[index]
    if (typeof value !== 'string') throw new TypeError(`parameter ${index} must be a text`)
    return value
  }

  /** An integer from 0 on. @throws {TypeError} */
  count(index: number): number {
    const value = this.#values[index]
    if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0)
      throw new TypeError(`parameter ${index} must be an integer from 0 on`)
    return value
  }

  /** As `count`; undefined where there is none, or null. */
  optionalCount(index: number): number | undefined {
    return this.#values[index] === undefined || this.#values[index] === null ? undefined : this.count(index)
  }

  /** As `text`; undefined where there is none, or null. */
  optionalText(index: number): string | undefined {
    return this.#values[index] === undefined || this.#values[index] === null ? undefined : this.text(index)
  }

  /** @throws {TypeError} */
  texts(index: number): string[] {
    const value = this.#values[index]
    if (!Array.isArray(value) || !value.every((each): each is string => typeof each === 'string'))
      throw new TypeError(`parameter ${index} must be a list of texts`)
    return value
  }

  /** Whether it is `true`. */
  flag(index: number): boolean {
    return this.#values[index] === true
  }

  /** Whatever it is: the caller looks at it. */
  any(index: number): unknown {
    return this.#values[index]
  }
}
