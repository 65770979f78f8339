interface Uint8Array<TArrayBuffer extends ArrayBufferLike> {
  /** @deprecated Of a Buffer it is a view of bytes that their owner may use again; take `copyOf` of kernel/bytes. */
  slice(start?: number, end?: number): Uint8Array<ArrayBuffer>
}
