/** UTF-8 in an array that is no Buffer, as what the codecs give. */
export function toBytes(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

/** The bytes again and again, as often as they fit into the size. */
export function repeatTo(piece: Uint8Array, sizeBytes: number): Uint8Array {
  return Buffer.alloc(Math.max(1, Math.floor(sizeBytes / piece.length)) * piece.length, piece);
}
