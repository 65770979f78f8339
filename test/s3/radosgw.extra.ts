/** Files and heads on Ceph's S3 gateway, a real one. */

import { after, test } from 'node:test'
import { Radosgw, whyNoRadosgw } from '../../tools/servers/radosgw.ts'
import { makeBucket, radosgwClient } from './radosgw-place.ts'
import { testS3Stores } from './s3-suites.ts'

const reason = whyNoRadosgw()

if (reason !== undefined) test('files and heads on radosgw keep their promises', { skip: reason }, () => undefined)
else {
  const server = await Radosgw.start()
  after(() => server.stop())
  await makeBucket(server)
  let places = 0
  testS3Stores({
    test,
    name: 'radosgw',
    open: () => {
      const prefix = `place-${++places}/`
      return Promise.resolve({ client: () => radosgwClient(server, prefix) })
    },
  })
}
