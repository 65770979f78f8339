/** Error numbers of the system as errors, like those that Node makes of them. */

import { constants } from 'node:os'
import { getSystemErrorName } from 'node:util'

export const { EAGAIN, ENOENT, ENOSYS, EOPNOTSUPP, EPERM } = constants.errno

export function systemError(errno: number, call: string): Error {
  const code = getSystemErrorName(-errno)
  return Object.assign(new Error(`${code}: ${call}`), { code, errno: -errno, syscall: call })
}
