import type { IndexedMessage } from '../../codec/otlp-index.ts';

/** Resources and scopes stay the same from request to request; this many are remembered. */
const knownMax = 512;
/** A larger one is not remembered: senders decide what they send, not how much of it is kept. */
const knownBytesMax = 65_536;

/** What documents hold of a resource or a scope, by the bytes of its message; of one request also the message itself. */
export class KnownMessages<Message, Parts> {
  private readonly toParts: (message: Message) => Parts;
  private readonly decode: (request: Uint8Array, place: IndexedMessage) => Message;
  /** By the bytes as text, the one used last at the end. */
  private readonly known = new Map<string, Parts>();
  private request: Uint8Array = new Uint8Array();
  private places: readonly IndexedMessage[] = [];
  private partsByPlace: (Parts | undefined)[] = [];
  private messageByPlace: (Message | undefined)[] = [];

  constructor(toParts: (message: Message) => Parts, decode: (request: Uint8Array, place: IndexedMessage) => Message) {
    this.toParts = toParts;
    this.decode = decode;
  }

  open(request: Uint8Array, places: readonly IndexedMessage[]): void {
    this.request = request;
    this.places = places;
    this.partsByPlace = places.map(() => undefined);
    this.messageByPlace = places.map(() => undefined);
  }

  parts(place: number): Parts {
    return (this.partsByPlace[place] ??= this.find(place));
  }

  /** Of a message of this request that `message` gave. */
  partsOf(message: Message): Parts {
    return this.parts(this.messageByPlace.indexOf(message));
  }

  message(place: number): Message {
    return (this.messageByPlace[place] ??= this.decode(this.request, this.places[place] ?? none));
  }

  private find(place: number): Parts {
    const { message, schemaUrl } = this.places[place] ?? none;
    // The schema URL stands behind the message or before it; both ranges together say all.
    const key = joined(this.request, message, schemaUrl);
    const known = this.known.get(key);
    const parts = known ?? this.toParts(this.message(place));
    if (key.length > knownBytesMax) return parts;
    this.known.delete(key);
    this.known.set(key, parts);
    const [oldest] = this.known.keys();
    if (this.known.size > knownMax && oldest !== undefined) this.known.delete(oldest);
    return parts;
  }
}

const none: IndexedMessage = { message: { start: 0, end: 0 }, schemaUrl: { start: 0, end: 0 } };

/** Gives each byte a character of its own, which is all that a key needs. */
const decoder = new TextDecoder('latin1');

/** Each range begins with its length, so that no two pairs of ranges look alike. */
function joined(request: Uint8Array, first: IndexedMessage['message'], second: IndexedMessage['message']): string {
  const text = (range: IndexedMessage['message']) => decoder.decode(request.subarray(range.start, range.end));
  return text(first) + text(second);
}
