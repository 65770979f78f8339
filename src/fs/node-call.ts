/** One callback-style call of Node's file system as a promise; its errors are the device's. */

import { deviceError } from './device-error.ts'

export function attempt<T>(
  operation: string,
  path: string,
  start: (done: (error: Error | null, value: T) => void) => void,
): Promise<T> {
  return new Promise((resolve, reject) => {
    const fail = (error: unknown): void => reject(deviceError(error, operation, path))
    try {
      start((error, value) => {
        if (error === null || error === undefined) resolve(value)
        else fail(error)
      })
    } catch (error) {
      // Node's permission model refuses at once.
      fail(error)
    }
  })
}
