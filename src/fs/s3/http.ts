/** HTTP as the S3 client needs it, as a port: `NodeHttpTransport` sends, a test answers without a network. */

export interface HttpTransport {
  /**
   * One request, one answer, nothing made again.
   *
   * @throws {VarveError} IO_FAILED — no answer; details: `unsent` is true where the server cannot have seen the request
   */
  send(request: HttpRequest): Promise<HttpResponse>
  /** Idempotent. What is under way fails. */
  close(): Promise<void>
}

/** The methods that the client uses. */
export type HttpMethod = 'GET' | 'HEAD' | 'PUT' | 'POST' | 'DELETE'

/** One request, complete: nothing is added but what the transport needs. */
export interface HttpRequest {
  /** In upper case, as it is signed. */
  readonly method: HttpMethod
  /** Absolute; path and query are encoded as they are sent. */
  readonly url: string
  /** Names in lower case. `host` and `content-length` are the transport's. */
  readonly headers: Readonly<Record<string, string>>
  /** Lent until the answer is there. */
  readonly body: Uint8Array
  /** In bytes: a longer answer is a failure; what comes from outside does not decide how much memory it takes. */
  readonly answerBytesMax: number
  /** Gives up: the answer fails with IO_FAILED. */
  readonly signal: AbortSignal
}

/** An answer, whatever its status. */
export interface HttpResponse {
  /** 100 … 599. */
  readonly status: number
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string | undefined>>
  /** The whole of it, the receiver's own; empty where there is none. */
  readonly body: Uint8Array
}
