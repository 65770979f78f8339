/** Files and heads on S3-compatible stores, honest and strange, keep what their ports promise. */

import { test } from 'node:test'
import { testS3Stores } from './s3-suites.ts'
import { S3Double } from './s3-double.ts'
import { clientOf } from './s3-place.ts'

for (const [name, make] of [
  [
    'S3',
    () => {
      const double = new S3Double({ missingIs404: true })
      double.pageSize = 20
      return double
    },
  ],
  ['S3 with the quirks of radosgw', () => S3Double.radosgw()],
] as const) {
  let seed = 0
  testS3Stores({
    test,
    name,
    open: () => {
      const double = make()
      return Promise.resolve({ client: () => clientOf(double, ++seed, { prefix: 'some/where-' }) })
    },
  })
}
