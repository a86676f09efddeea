/** UTF-8 in an array that is no Buffer, as what the codecs give. */
export function toBytes(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}
