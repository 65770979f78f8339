/** How an S3-compatible store can be strange, and what can become of a request to it. */

/** What is strange about a store. Each of these is some real one's, radosgw's where it says so. */
export interface S3Quirks {
  ignoresIfNoneMatch?: boolean
  ignoresIfMatch?: boolean
  /** Conditions are compared, then time passes, then the object is written. */
  racyConditions?: boolean
  /** ETags in `If-Match` are compared with their quotes (radosgw). */
  bareEtags?: boolean
  /** Who loses a race on `If-Match` gets 500 (radosgw). */
  losersGet500?: boolean
  /** The condition of completing an upload is ignored (radosgw). */
  ignoresCompleteCondition?: boolean
  /** Completing an upload says nothing of an ETag (radosgw). */
  emptyCompleteEtag?: boolean
  refusesCompleteCondition?: boolean
  ignoresRange?: boolean
  /** Ranges begin one byte late. */
  shiftedRange?: boolean
  /** No request removes several objects: what the store says to one that is to. */
  noBatchRemoval?: 400 | 404 | 405 | 501
  /** Of several objects that one request is to remove, this one is not, which is told. */
  keepsInBatch?: string
  /** A condition whose object is not there is 404, not 412 (Amazon). */
  missingIs404?: boolean
}

/**
 * What happens to one request. `late`: it is carried out after the client has given up, when `arrive()` is called. `page`:
 * somebody on the way answers 200 in the store's place; `tagged-page`: with an ETag, as most servers do; `page-404`: 404.
 */
export type S3Fault =
  | 'page'
  | 'tagged-page'
  | 'page-404'
  | 'no-bucket'
  | 'refused'
  | 'lost'
  | 'answer-lost'
  | 'twice'
  | 'late'
  | 500
  | 503
  | '500-after'
